"""Root causes in people's words: facts know them by a name made from the words, the same for words alike up to case and
spaces, so that they are counted without reading the texts."""

# Of a resolution `e`; of one whose text was erased there is none.
NAME_OF_RESOLUTION = """
    (select md5(lower(regexp_replace(btrim(t.text), '\\s+', ' ', 'g')))::uuid from event_text t
     where t.tenant_id = e.tenant_id and t.event_id = e.id and t.field = 'root_cause' and t.text is not null)
"""
