-- One row per unit, day and figure that both the unit and its children report: its own total beside their sum. Read by: the steering office, before it quotes a district's own total.
-- is_consistent is FALSE when the own total is below the sum, or is not the sum once all children that owe a report gave the figure. Progress always adds up the children. Ask for single days.
with figure as (
    select figure_date, unit_code, measure_code, category_code, value
    from core.observation
    where source_code = 'unit_report' and superseded_at is null and value is not null
),
expected as (
    select e.report_date, u.parent_unit_code, count(distinct e.unit_code) as child_count
    from ops.expected_report e
    join core.unit u on u.unit_code = e.unit_code and u.valid_from <= e.report_date
        and coalesce(u.valid_to, 'infinity') >= e.report_date
    where e.is_expected
    group by e.report_date, u.parent_unit_code
),
compared as (
    select own.figure_date as report_date, own.unit_code, own.measure_code, own.category_code,
           own.value as own_value, sum(child.value)::bigint as children_value,
           count(*)::integer as reported_child_count
    from figure own
    join core.unit u on u.parent_unit_code = own.unit_code and u.valid_from <= own.figure_date
        and coalesce(u.valid_to, 'infinity') >= own.figure_date
    join figure child using (figure_date, measure_code, category_code)
    where child.unit_code = u.unit_code
    group by own.figure_date, own.unit_code, own.measure_code, own.category_code, own.value
)
select c.report_date, c.unit_code, c.measure_code, c.category_code, c.own_value, c.children_value,
       c.reported_child_count, coalesce(x.child_count, 0)::integer as expected_child_count,
       c.own_value = c.children_value
           or (c.own_value > c.children_value and c.reported_child_count < coalesce(x.child_count, 0)) as is_consistent
from compared c
left join expected x on x.report_date = c.report_date and x.parent_unit_code = c.unit_code
