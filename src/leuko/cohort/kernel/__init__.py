"""The compiled part of a cohort run: every rule of one person's counts, in one pass over the rows of many.

rows of a person in their own order -> screen -> draws -> one result per draw -> derived counts -> grades, episodes

Answers are those of `leuko.counts`, `leuko.grading` and `leuko.course`. What is too rich for the kernel is not answered
here: the person is flagged (`Flag`) and goes through those modules.
"""
