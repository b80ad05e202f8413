"""A chat as a timeline: what happened in it, when, and how often it had to be tried.

`value`: what it is. `reading`: from the events of its runs. `loading`: from a server or a file.
`drawing`: for a terminal. `page`: as one HTML page. `transcript`: what was said alone.
"""
