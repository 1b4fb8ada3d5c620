"""A client of a hospital's FHIR server: SMART backend services, search, $everything, bulk export.

`key` and `login` say who we are, `talk` sends and tries again, `pages` follows searches, `person` and `bulk` fetch,
`folder` writes what came so that `leuko assess` and `leuko cohort` read it.
"""
