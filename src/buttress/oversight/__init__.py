"""Scalable oversight: does a protocol let a weak overseer judge a stronger worker rightly?"""
