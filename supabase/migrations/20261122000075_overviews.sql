-- Packages with what became of their versions, for the page that lists packages.
--
-- Touches: creates the view training_package_overviews.
-- For operators: what a caller sees is decided by the policies of the tables underneath.

-- What the versions of a package add up to. A function, so that a page of a list asks it for the
-- packages of that page alone: the planner leaves what is expensive until after the limit. Sums are
-- null where no version has a value.
create or replace function training_versions_internal.package_totals(p_package_id uuid)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
begin
    return (
        select jsonb_build_object(
            'drafts', count(*) filter (where v.status = 'draft'),
            'last_change_at', max(v.updated_at),
            'estimated_cost', sum(v.estimated_cost),
            'actual_cost', sum(v.actual_cost),
            'budget_limit', sum(v.budget_limit),
            'latest_published_at', (
                select p.published_at
                from public.training_published_versions p
                where p.package_id = p_package_id
                order by p.version_number desc
                limit 1
            ),
            'live', coalesce(
                (
                    select jsonb_agg(to_jsonb(d) - 'owner_id' order by d.target)
                    from public.training_deployments d
                    where d.package_id = p_package_id and d.ended_at is null
                ),
                '[]'
            )
        )
        from public.training_package_versions v
        where v.package_id = p_package_id
    );
end
$$;

create or replace view public.training_package_overviews
with (security_invoker = true)
as
select
    c.id,
    c.name,
    c.template_type,
    c.user_id,
    c.current_version_id,
    c.version_count,
    c.latest_published_version,
    public.training_package_made_at(c.*) as training_package_made_at,
    training_versions_internal.package_totals(c.id) as totals
from public.training_configs c;
comment on view public.training_package_overviews is
    'training-versions: '
    'Packages without their configs, and in `totals` what is live, drafts, costs and the last '
    'change of their versions. Whoever sees a package and its versions sees its overview.';
