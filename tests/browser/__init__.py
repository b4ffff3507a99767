"""The pages as people meet them: a real Chromium, a real server on a real socket, and somebody else's app beside it.

VALETKEY_SCREENSHOTS=FOLDER keeps a picture of every page: phone and desktop, light and dark.
"""
