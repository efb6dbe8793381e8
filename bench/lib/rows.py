"""100,000 registries, inserted by SQL in bulk: what a large site's tables look like."""

COUNT = 100000


def registries(bench):
    """Names bulk000000 … in the group `bulk`; and, as large sites have, 10,000 role assignments."""
    def make():
        bench.group()
        bench.sql(f"""
with g as (insert into arm.resource_group (subscription_id, name, name_key, location, tags)
           values ('{bench.subscription}', 'bulk', 'bulk', '{bench.region}', '{{}}') returning id),
e as (insert into arm.resource (group_id, subscription_id, type, type_key, name, name_key, location, tags, sku)
      select g.id, '{bench.subscription}', 'Microsoft.ContainerRegistry/registries',
             'microsoft.containerregistry/registries', 'bulk' || lpad(i::text, 6, '0'), 'bulk' || lpad(i::text, 6, '0'),
             '{bench.region}', '{{}}', 'Standard'
      from g, generate_series(0, {COUNT - 1}) i returning id, name_key),
r as (insert into acr.registry (id, rid, login_key, password, password2)
      select id, md5(name_key), name_key, ''::bytea, ''::bytea from e returning id)
insert into acr.registry_usage (registry_id) select id from r""")
        bench.sql("analyze")
        return COUNT
    return bench.once("rows", make)
