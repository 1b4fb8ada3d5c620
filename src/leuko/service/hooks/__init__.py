"""CDS Hooks: an EHR asks at a moment of its workflow, leuko answers with cards.

settings -> who may ask (EHRs by issuer and keys), which FHIR servers may be asked back
trust    -> the token of each call: signature, audience, times, replay
prefetch -> the data of one person, sorted from what the EHR sent or its server gives
orders   -> the orders about to be signed or released
findings -> what the assessment says that is worth a card
cards    -> the words, from data/cards
desk     -> one call from data to answer; what was said before is not said again
routes   -> HTTP
"""

from __future__ import annotations

from leuko.service.hooks.routes import router
from leuko.service.hooks.settings import HookSettings, read_settings

__all__ = ["HookSettings", "read_settings", "router"]
