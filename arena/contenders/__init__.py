"""Contenders that answer live: where they are reached, how they are asked, and answers made in advance.

endpoint.py     where a model answers, and how it is asked; a record of models.jsonl
incoming.py     what arrives in pieces, as text that can be stored and shown
client.py       one endpoint, asked: streaming, retries, limits; every way to fail has a name
checkup.py      every endpoint tried once, for `bakeoff doctor`
generation.py   every prompt put to every model, for `bakeoff generate`
answer_log.py   answers.jsonl, written line by line and whole after any interruption
"""
