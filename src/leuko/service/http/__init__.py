"""leuko over HTTP: one app, which the routers of CDS Hooks, FHIR and the pages are mounted on.

`app.create_app` puts it together; `context` is what a request may use; `guard` lets people in and says what they may
do; `problems` are answers that hold nothing of a person; `probes` tell machines whether the service is well.
"""
