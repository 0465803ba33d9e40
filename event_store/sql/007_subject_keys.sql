-- Keys of subjects stand beside those of dates, and are many more: processes look only for what changed.

create index keys_changed on vault.keys (greatest(made, destroyed));

comment on column vault.keys.bucket is
    'a local date, as text; or whose words the key seals: account:…, citation:…, incident:…';
