-- Why: what ActivePlatform's API shows is stored data: resellers with their
-- managers, users, account types, and of accounts and classes an integer id,
-- whom they belong to and how their holder is reached. Nothing is judged by it
-- (ADR 0010).
-- How long on a big table: accounts is written once to give each its id, and four
-- indexes are made on it; nobody reads or writes it meanwhile. Measured with half
-- a million accounts on two busy cores: a minute. All else is small.
-- To undo: drop what is created here; nothing that was there before changes.

-- +goose Up

create table resellers (
    id         bigint           not null,
    name       text collate "C" not null,
    parent     bigint, -- null: none is above it
    countries  text[]           not null, -- of new accounts; empty: all
    currency   text collate "C", -- of new accounts; null: the usual one
    created_at timestamptz      not null,
    updated_at timestamptz      not null,
    constraint a_reseller_has_one_id primary key (id),
    constraint a_reseller_is_below_one_that_exists foreign key (parent) references resellers (id)
        deferrable initially deferred -- a file may name the lower one first
);
create index resellers_below on resellers (parent) where parent is not null;

create table managers (
    id                bigint           not null,
    reseller          bigint           not null,
    name              text collate "C" not null,
    email             text collate "C" not null,
    role              text collate "C" not null,
    status            text collate "C" not null,
    phone             text collate "C", -- null: none
    photo             text collate "C", -- null: none
    custom_attributes jsonb            not null,
    created_at        timestamptz      not null,
    updated_at        timestamptz      not null,
    constraint a_manager_has_one_id primary key (id),
    constraint a_manager_works_for_a_reseller foreign key (reseller) references resellers (id)
);

create sequence user_ids;

create table users (
    id             bigint           not null default nextval('user_ids'),
    first_name     text collate "C" not null,
    middle_name    text collate "C" not null,
    last_name      text collate "C" not null,
    email          text collate "C" not null,
    account_status text collate "C" not null,
    global_status  text collate "C" not null,
    created_at     timestamptz      not null,
    updated_at     timestamptz      not null,
    constraint a_user_has_one_id primary key (id)
);
create index users_by_email on users (lower(email));

create table account_types (
    id                     bigint           not null,
    key                    text collate "C" not null,
    name                   text collate "C" not null,
    reseller               bigint, -- null: of the installation
    name_pattern           text collate "C" not null,
    primary_name           text collate "C" not null,
    default_payment_method bigint, -- null: none
    ancestry               text collate "C", -- null: none
    use_by_default         boolean          not null,
    attributes             jsonb            not null, -- in their order
    created_at             timestamptz      not null,
    updated_at             timestamptz      not null,
    constraint an_account_type_has_one_id primary key (id),
    -- Deferred, so that a file can give one's key to another.
    constraint an_account_type_has_one_key unique (key) deferrable initially deferred,
    constraint an_account_type_is_of_a_reseller_that_exists foreign key (reseller) references resellers (id)
);

-- Classes that were there get ids in the order of their keys.
alter table classes
    add column id                       bigint,
    add column reseller                 bigint, -- null: of the installation
    add column color                    text collate "C" not null default '',
    add column due_order_days           integer          not null default 0,
    add column due_payment_days         integer          not null default 0,
    add column guaranteed_limit         numeric(18, 6)   not null default 0,
    add column guaranteed_days          integer          not null default 0,
    add column stop_subscriptions       smallint         not null default 0, -- 0 automatically, 1 manually
    add column delete_subscriptions     smallint         not null default 0,
    add column denominated              boolean          not null default false,
    add column receipt_day              integer          not null default 0, -- 0: none
    add column created_at               timestamptz      not null default now(),
    add column updated_at               timestamptz      not null default now(),
    add constraint a_class_is_of_a_reseller_that_exists foreign key (reseller) references resellers (id);
update classes c
set    id = n.id
from   (select key, row_number() over (order by key) as id from classes) n
where  c.key = n.key;
alter table classes
    alter column id set not null,
    add constraint a_class_has_one_id unique (id) deferrable initially deferred;

-- Accounts that were there get ids in the order in which they were created.
create sequence account_ids;
alter table accounts
    add column vendor_id bigint,
    add column reseller  bigint, -- null: of the installation
    add constraint an_account_is_of_a_reseller_that_exists foreign key (reseller) references resellers (id);
update accounts a
set    vendor_id = n.id
from   (select number, row_number() over (order by created_at, number) as id from accounts) n
where  a.number = n.number;
select setval('account_ids', max(vendor_id)) from accounts having max(vendor_id) > 0;
-- The default comes last: the column must not be filled by it.
alter table accounts
    alter column vendor_id set default nextval('account_ids'),
    alter column vendor_id set not null,
    add constraint an_account_has_one_vendor_id unique (vendor_id) deferrable initially deferred;
create index accounts_of_a_reseller on accounts (reseller, vendor_id) where reseller is not null;
create index accounts_by_creation on accounts (created_at, vendor_id);
create index accounts_by_change on accounts (updated_at, vendor_id);

-- What vendor APIs show of an account, beside the row that everything reads.
-- An account without a profile has no row.
create table profiles (
    account           text collate "C" not null,
    account_type      bigint,
    manager           bigint,
    owner             bigint,
    tech_user         bigint,
    bill_user         bigint,
    primary_name      text collate "C" not null,
    first_name        text collate "C" not null,
    middle_name       text collate "C" not null,
    last_name         text collate "C" not null,
    email             text collate "C" not null,
    country           text collate "C" not null,
    region            text collate "C" not null,
    city              text collate "C" not null,
    street            text collate "C" not null,
    building          text collate "C" not null,
    office            text collate "C" not null,
    zip               text collate "C" not null,
    phone             text collate "C" not null,
    custom_attributes jsonb            not null, -- values by key
    constraint an_account_has_one_profile primary key (account),
    constraint a_profile_belongs_to_an_account foreign key (account) references accounts (number),
    constraint a_profile_is_of_a_type_that_exists foreign key (account_type) references account_types (id),
    constraint a_profile_names_a_manager_that_exists foreign key (manager) references managers (id),
    constraint a_profile_names_an_owner_that_exists foreign key (owner) references users (id),
    constraint a_profile_names_a_technical_user_that_exists foreign key (tech_user) references users (id),
    constraint a_profile_names_a_billing_user_that_exists foreign key (bill_user) references users (id)
);
create index profiles_by_email on profiles (lower(email));
create index profiles_of_a_type on profiles (account_type, account) where account_type is not null;
create index profiles_of_an_owner on profiles (owner) where owner is not null;
create index profiles_of_a_technical_user on profiles (tech_user) where tech_user is not null;
create index profiles_of_a_billing_user on profiles (bill_user) where bill_user is not null;

-- How an account is called: what its type's pattern makes of its contact, each
-- part as it stands (an empty middle name leaves its blanks). Without a pattern
-- it is called after the company, else the person, else the customer. format
-- goes over the text once, so a name that looks like a pattern stays a name.
create function account_name(pattern text, primary_name text, first_name text, middle_name text, last_name text, customer text)
    returns text
    language sql stable parallel safe
    return case
        when pattern is not null then format(
            replace(replace(replace(replace(replace(pattern, '%', '%%'), '%%primary_name', '%1$s'),
                '%%first_name', '%2$s'), '%%middle_name', '%3$s'), '%%last_name', '%4$s'),
            primary_name, first_name, middle_name, last_name)
        else coalesce(nullif(primary_name, ''),
            nullif(concat_ws(' ', nullif(first_name, ''), nullif(middle_name, ''), nullif(last_name, '')), ''), customer)
    end;
