"""The authored teacher: how a face moves that says these phones, feels this, and is told so.

It is written from the literature and by eye, and different each time it is asked: the network learns the distribution.
"""
