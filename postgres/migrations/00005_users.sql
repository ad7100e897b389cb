-- Why: a user belonged to nobody, so that a reseller's token could make an account
-- for any whom no account named yet, and was shown the name and address. Whose a
-- user is says who may name it (ADR 0010). Those that are there become the
-- reseller's whose accounts name them; of several the nearest that is above all of
-- them; of nobody, hence of the installation, where there is none, or where an
-- account of the installation or no account at all names them. Accounts stay as
-- they are, and a token goes on to name whom accounts within its reach name.
-- How long on a big table: profiles is read once, and each user is written once;
-- nobody reads or writes users meanwhile. Measured with half a million accounts and
-- as many users on two busy cores: 20 seconds.
-- To undo: drop the column reseller.

-- +goose Up

alter table users
    add column reseller bigint, -- null: of the installation
    add constraint a_user_is_of_a_reseller_that_exists foreign key (reseller) references resellers (id);

with recursive
-- Each reseller with itself and all above it: sixteen at most, which apply sees to.
above (reseller, upper, steps) as (
     select id, id, 0
     from   resellers
     union all
     select a.reseller, r.parent, a.steps + 1
     from   above     a
     join   resellers r on r.id = a.upper
     where  r.parent is not null
     and    a.steps  <  16),
named (person, reseller) as (
     select distinct v.id, a.reseller
     from   profiles p
     join   accounts a on a.number = p.account
     cross join lateral (values (p.owner), (p.tech_user), (p.bill_user)) v (id)
     where  v.id is not null),
counted as (
     select person, reseller, count(*) over (partition by person) as resellers
     from   named),
-- Who is above all that name a person. One without a reseller is below nobody.
common as (
     select   c.person, a.upper, sum(a.steps) as steps
     from     counted c
     join     above   a on a.reseller = c.reseller
     group by c.person, a.upper
     having   count(*) = min(c.resellers))
update users u
set    reseller = n.upper
from   (select distinct on (person) person, upper
        from   common
        order by person, steps) n
where  u.id = n.person;
