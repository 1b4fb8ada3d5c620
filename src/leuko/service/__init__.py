"""leuko as a service: results come in by HL7 v2 over MLLP, are stored before they are acknowledged, and are graded.

`store` keeps everything, append-only; `inbox` decides what becomes of a message; `mllp` speaks the protocol; `grade`
turns stored messages into counts and assessments.
"""
