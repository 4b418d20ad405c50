"""Contenders that answer live: where they are reached, how they are asked, and answers made in advance.

endpoint.py     where a model answers, and how it is asked; a record of models.jsonl
incoming.py     what arrives in pieces, as text that can be stored and shown
client.py       one endpoint, asked: streaming, retries, limits; every way to fail has a name
checkup.py      every endpoint tried once, for `bakeoff doctor`
asking.py       many tasks put to many endpoints: within a budget, each reply kept at once
generation.py   every prompt put to every model, for `bakeoff generate`
judge.py        an AI judge: its question, and the verdict that a reply ends with; a record of judges.jsonl
judgement.py    judgements.jsonl: every reply of a judge, and what two orders say together
judging.py      which pairs of answers judges are asked about, for `bakeoff judge`
answer_log.py   answers.jsonl, written line by line and whole after any interruption
"""
