"""Which doors of the API do what a page or form of the panel does.

On each line a page of the panel, then the API's routes that show or do the same, without `/api/v1`; the names in their
paths are left out. A page from which something is administered stands for reading it and for changing it.
"""

PAGES = """
GET /accounts: GET /accounts
GET /accounts/<>: GET /accounts/<>, GET /accounts/<>/value, GET /escalations
GET /accounts/by/<>/<>: GET /accounts
GET /accounts/<>/open: GET /escalations
GET /accounts/<>/ended: GET /escalations
GET /accounts/<>/raise: GET /reasons, POST /escalations
POST /accounts/<>/raise: POST /escalations
POST /accounts/<>/raise/ahead: POST /escalations
POST /accounts/<>/raise/questions: GET /playbooks/questions

GET /mine: GET /escalations, GET /me/tasks
POST /mine/<>/acknowledge: POST /escalations/<>/acknowledge
GET /inbox: GET /notifications
POST /inbox/<>/read: POST /notifications/<>/read
GET /team: GET /routing/failures, GET /users
GET /team/<>/relief: GET /teams/<>/rebalancing
POST /team/<>/relief: POST /teams/<>/rebalancing
GET /handback/<>/<>: GET /users/<>/absences/<>/hand-back
POST /handback/<>/<>: POST /users/<>/absences/<>/hand-back

GET /escalations/<>: GET /escalations/<>, GET /escalations/<>/clocks, GET /escalations/<>/timeline
GET /escalations/<>/print: GET /escalations/<>, GET /escalations/<>/timeline
GET /escalations/<>/live: GET /escalations/<>
GET /escalations/<>/timeline: GET /escalations/<>/timeline
GET /escalations/<>/timeline/<>: GET /escalations/<>/timeline
GET /escalations/<>/value: GET /escalations/<>
GET /escalations/<>/routing: GET /escalations/<>/routing
GET /escalations/<>/schedule: GET /escalations/<>/schedule
GET /escalations/<>/duplicates: GET /escalations/<>/duplicates
GET /escalations/<>/dossier: GET /escalations/<>/dossier, GET /escalations/<>/path
GET /escalations/<>/contracts: GET /escalations/<>
POST /escalations/<>/contracts: PATCH /escalations/<>
POST /escalations/<>/edit: PATCH /escalations/<>
POST /escalations/<>/merge: POST /escalations/<>/merge
POST /escalations/<>/survey: POST /escalations/<>/survey
POST /escalations/<>/updates/preview: POST /escalations/<>/drafts/<>/preview
POST /escalations/<>/attachments: POST /escalations/<>/attachments
GET /escalations/<>/attachments/<>/link: GET /escalations/<>/attachments/<>/link
POST /escalations/<>/attachments/<>/remove: POST /escalations/<>/attachments/<>/remove
POST /escalations/<>/exit-criteria: POST /escalations/<>/exit-criteria
POST /escalations/<>/exit-criteria/<>: PATCH /escalations/<>/exit-criteria/<>
POST /escalations/<>/tasks: POST /escalations/<>/tasks
GET /escalations/<>/tasks/<>: GET /escalations/<>/tasks
POST /escalations/<>/tasks/<>: PATCH /escalations/<>/tasks/<>
POST /escalations/<>/tasks/<>/move: POST /escalations/<>/tasks/<>/move
POST /escalations/<>/tasks/<>/move/preview: POST /escalations/<>/tasks/<>/move
GET /escalations/<>/moves/<>: GET /escalations/<>/tasks
POST /escalations/<>/moves/<>/undo: POST /escalations/<>/tasks/moves/<>/undo
POST /escalations/<>/playbook: POST /escalations/<>/playbook
POST /escalations/<>/playbook/preview: POST /escalations/<>/playbook/preview
GET /escalations/<>/outage: GET /outages
POST /escalations/<>/outage: PATCH /escalations/<>

GET /outages: GET /outages
GET /outages/<>: GET /outages/<>, GET /outages/<>/escalations, GET /outages/<>/timeline
GET /outages/<>/timeline: GET /outages/<>/timeline
GET /outages/new: POST /outages
POST /outages/new: POST /outages
GET /outages/<>/<>: GET /outages/<>, PATCH /outages/<>, POST /outages/<>/updates
POST /outages/<>/edit: PATCH /outages/<>
POST /outages/<>/update: POST /outages/<>/updates
POST /outages/<>/resolve: POST /outages/<>/resolve
POST /outages/<>/accounts: POST /outages/<>/escalations
GET /prevention/<>: GET /prevention-actions/<>
POST /prevention/<>: PATCH /prevention-actions/<>

GET /reports/views: GET /reports/views
POST /reports/views: POST /reports/views
GET /reports/views/new: POST /reports/views
GET /reports/views/<>: GET /reports/views/<>
POST /reports/views/<>: PATCH /reports/views/<>
POST /reports/views/<>/delete: DELETE /reports/views/<>
GET /reports/schedules: GET /reports/schedules
POST /reports/schedules: POST /reports/schedules
GET /reports/schedules/new: POST /reports/schedules
GET /reports/schedules/<>: GET /reports/schedules/<>, GET /reports/schedules/<>/deliveries
POST /reports/schedules/<>: PATCH /reports/schedules/<>
POST /reports/schedules/<>/active: PATCH /reports/schedules/<>
POST /reports/schedules/<>/end: DELETE /reports/schedules/<>
POST /reports/schedules/<>/send: POST /reports/schedules/<>/send
POST /reports/schedules/<>/leave: POST /reports/schedules/<>/leave
GET /reports/links: GET /reports/links
POST /reports/links: POST /reports/links
GET /reports/links/new: POST /reports/links
GET /reports/links/<>: GET /reports/links/<>, GET /reports/links/<>/openings
POST /reports/links/<>/revoke: DELETE /reports/links/<>

GET /admin/users: GET /users, POST /users
POST /admin/users: POST /users
GET /admin/users/new: POST /users
GET /admin/users/<>: GET /users/<>, PATCH /users/<>
POST /admin/users/<>: PATCH /users/<>
GET /admin/users/<>/deactivate: PATCH /users/<>
POST /admin/users/<>/skills: PUT /users/<>/skills
GET /admin/users/<>/absences: GET /users/<>/absences, PATCH /users/<>
POST /admin/users/<>/absences: POST /users/<>/absences
POST /admin/users/<>/absences/<>/end: DELETE /users/<>/absences/<>
GET /admin/teams: GET /teams, POST /teams
POST /admin/teams: POST /teams
GET /admin/teams/<>: GET /teams/<>, PATCH /teams/<>
POST /admin/teams/<>: PATCH /teams/<>
POST /admin/teams/<>/members: PUT /teams/<>/members/<>
GET /admin/teams/<>/members/<>: PUT /teams/<>/members/<>
POST /admin/teams/<>/members/<>: PUT /teams/<>/members/<>
POST /admin/teams/<>/members/<>/remove: DELETE /teams/<>/members/<>
GET /admin/skills: GET /skills, POST /skills
POST /admin/skills: POST /skills
GET /admin/skills/<>: GET /skills/<>, PATCH /skills/<>
POST /admin/skills/<>: PATCH /skills/<>
POST /admin/skills/<>/delete: DELETE /skills/<>

GET /admin/rules: GET /routing/policy
POST /admin/rules: PUT /routing/policy
POST /admin/rules/shape: PUT /routing/policy
POST /admin/rules/check: POST /routing/policy/validate
POST /admin/rules/publish: POST /routing/policy/publish
GET /admin/rules/text: GET /routing/policy
GET /admin/rules/versions: GET /routing/policy/versions
GET /admin/rules/versions/<>: GET /routing/policy/versions/<>
GET /admin/rules/try: POST /routing/explain
GET /admin/rules/accounts: POST /routing/explain, GET /accounts
POST /admin/rules/explain: POST /routing/explain
GET /admin/rules/simulations: GET /routing/simulations
POST /admin/rules/simulations: POST /routing/simulate
GET /admin/rules/simulations/<>: GET /routing/simulations/<>
GET /admin/rules/simulations/<>/progress: GET /routing/simulations/<>
GET /admin/rules/simulations/<>/cases/<>: GET /routing/simulations/<>/cases
GET /admin/rules/simulations/<>/loads: GET /routing/simulations/<>/loads
POST /admin/rules/simulations/<>/cancel: POST /routing/simulations/<>/cancel

GET /admin/playbooks: GET /playbooks, GET /built-in-playbooks
POST /admin/playbooks: POST /playbooks
GET /admin/playbooks/new: POST /playbooks
POST /admin/playbooks/check: POST /playbook-files/check
GET /admin/playbooks/<>: GET /playbooks/<>, GET /playbooks/<>/versions
GET /admin/playbooks/<>/edit: POST /playbooks
POST /admin/playbooks/<>/publish: POST /playbooks/<>/publish
POST /admin/playbooks/<>/retire: POST /playbooks/<>/retire
GET /admin/playbooks/<>/text/<>: GET /playbooks/<>/versions/<>.yaml
GET /admin/playbooks/built-in/<>: GET /built-in-playbooks
POST /admin/playbooks/built-in/<>/adopt: POST /built-in-playbooks/<>/adopt

GET /admin/calendars: GET /calendars, POST /calendars
POST /admin/calendars: POST /calendars
GET /admin/calendars/new: POST /calendars
GET /admin/calendars/<>: GET /calendars/<>, POST /calendars
POST /admin/calendars/<>: POST /calendars
GET /admin/calendars/<>/edit: POST /calendars
POST /admin/calendars/<>/holidays: POST /calendars/<>/holidays
POST /admin/calendars/<>/due: POST /calendars/compute
GET /admin/service-levels: GET /service-levels, POST /service-levels
POST /admin/service-levels: POST /service-levels
GET /admin/service-levels/new: POST /service-levels
GET /admin/service-levels/<>: GET /service-levels/<>, POST /service-levels
POST /admin/service-levels/<>: POST /service-levels
GET /admin/service-levels/<>/edit: POST /service-levels
POST /admin/service-levels/<>/retire: POST /service-levels/<>/retire
GET /admin/ladders: GET /ladders, POST /ladders
GET /admin/ladders/<>: GET /ladders/<>, POST /ladders
POST /admin/ladders/<>: POST /ladders
GET /admin/applications: GET /applications, POST /zones/apply-to-open
GET /admin/applications/<>: GET /applications/<>, POST /zones/apply-to-open
GET /admin/apply/calendar/<>: POST /calendars/<>/apply-to-open
POST /admin/apply/calendar/<>: POST /calendars/<>/apply-to-open
GET /admin/apply/service_level/<>: POST /service-levels/<>/apply-to-open
POST /admin/apply/service_level/<>: POST /service-levels/<>/apply-to-open
GET /admin/apply/ladder: POST /ladders/apply-to-open
POST /admin/apply/ladder: POST /ladders/apply-to-open
GET /admin/apply/zone: POST /zones/apply-to-open
POST /admin/apply/zone: POST /zones/apply-to-open

GET /reports: GET /reports/summary
GET /reports/value: GET /reports/summary
GET /reports/rows: GET /reports/rows
GET /reports/definitions: GET /reports/definitions
GET /reports/accounts: GET /reports/accounts
GET /reports/accounts/<>: GET /reports/accounts/<>
GET /reports/outlook: GET /reports/forecast
GET /reports/warnings: GET /reports/early-warning
GET /reports/warnings/accounts: GET /reports/early-warning
GET /reports/warnings/cases: GET /reports/forecast
GET /reports/exports: GET /reports/exports
POST /reports/exports: POST /reports/exports
GET /reports/exports/<>: GET /reports/exports/<>
GET /reports/exports/<>/progress: GET /reports/exports/<>
GET /reports/exports/<>/link: GET /reports/exports/<>
POST /reports/exports/<>/cancel: POST /reports/exports/<>/cancel
GET /reports/owners: GET /reports/owners, GET /reports/teams
GET /reports/causes: GET /reports/causes

GET /admin/crm: GET /embed-installations
POST /admin/crm: POST /embed-installations
GET /admin/crm/<>: GET /embed-installations/<>, GET /embed-installations/<>/identities
POST /admin/crm/<>: PATCH /embed-installations/<>
POST /admin/crm/<>/disconnect: DELETE /embed-installations/<>
POST /admin/crm/<>/identities: PUT /embed-installations/<>/identities/<>
POST /admin/crm/<>/identities/forget: DELETE /embed-installations/<>/identities/<>
GET /admin/embedding: GET /settings, PATCH /settings
POST /admin/embedding: PATCH /settings
GET /admin/sign-in: GET /identity-provider, GET /identity-provider/identities
POST /admin/sign-in: PUT /identity-provider
POST /admin/sign-in/check: POST /identity-provider/check
POST /admin/sign-in/remove: DELETE /identity-provider
POST /admin/sign-in/identities: POST /identity-provider/identities
POST /admin/sign-in/identities/<>/remove: DELETE /identity-provider/identities/<>
GET /admin/tokens: GET /tokens
POST /admin/tokens: POST /tokens
GET /admin/tokens/new: POST /tokens
POST /admin/tokens/<>/revoke: DELETE /tokens/<>
GET /admin/imports: POST /imports/<>
POST /admin/imports: POST /imports/<>
GET /admin/imports/list: GET /imports/<>
GET /admin/imports/<>: GET /imports/<>
GET /admin/imports/<>/progress: GET /imports/<>
GET /admin/imports/<>/rows: GET /imports/<>
GET /admin/webhooks: GET /webhook-subscriptions
POST /admin/webhooks: POST /webhook-subscriptions
GET /admin/webhooks/<>: GET /webhook-subscriptions/<>, GET /webhook-subscriptions/<>/deliveries
POST /admin/webhooks/<>: PATCH /webhook-subscriptions/<>
POST /admin/webhooks/<>/remove: DELETE /webhook-subscriptions/<>
POST /admin/webhooks/<>/rotate-secret: POST /webhook-subscriptions/<>/rotate-secret
POST /admin/webhooks/<>/test: POST /webhook-subscriptions/<>/test
POST /admin/webhooks/deliveries/<>/redeliver: POST /webhook-deliveries/<>/redeliver
GET /admin/outbox: GET /outbox, GET /clocks/set-aside
POST /admin/outbox/<>/redeliver: POST /outbox/<>/redeliver
POST /admin/outbox/clocks/retry: POST /clocks/set-aside/retry
GET /admin/settings: GET /settings, PATCH /settings
POST /admin/settings: PATCH /settings
GET /admin/settings/reasons: GET /settings, PATCH /settings
POST /admin/settings/reasons: PATCH /settings
"""

# Of no use but to the panel itself: what each asks for, and why.
OWN = {
    "GET /admin": ("settings:write", "a list of pages, each with a guard of its own"),
    "GET /<>": ("notifications:read", "says that there is no such page"),
    "POST /session/renew": ("notifications:read", "whoever may sign in may stay"),
    "POST /session/end": ("notifications:read", "and may leave"),
}


def read_doors() -> dict[str, list[str]]:
    """The API's routes by the panel's."""
    lines = [line.partition(": ") for line in PAGES.split("\n") if line]
    return {page: routes.split(", ") for page, _, routes in lines}
