-- Why: the first schema. DESIGN §6 gives the rules that it keeps: the account
-- first in every key, no triggers, no sequences with meaning, every constraint
-- a sentence.
-- How long on a big table: there is none yet.
-- To undo: drop the schema; there is nothing before it.
--
-- Texts are compared byte by byte (collate "C"): it is the order that Go sorts
-- by, the same on every machine, and half the price in an index.

-- +goose Up

-- One row. Every change of price book, catalogue, classes or limits of all
-- accounts raises the version, and holds the table in exclusive mode while it
-- does: batches hold it in row share mode while they commit, so that none
-- commits on a price book that a change has replaced (ADR 0003).
create table settings (
    only_row boolean not null default true,
    version  bigint  not null default 1,
    constraint settings_has_one_row primary key (only_row),
    constraint settings_row_is_the_one check (only_row)
);
insert into settings default values;

-- The small numbers under which counters are kept: one for every service, type
-- and family that ever was (scope 0, 1, 2). Never taken back.
create table targets (
    id    integer  not null,
    scope smallint not null,
    code  text collate "C"     not null,
    constraint targets_are_numbered primary key (id),
    constraint a_target_has_one_number unique (scope, code)
);

create table families (
    code text collate "C" not null,
    name text collate "C" not null,
    constraint a_family_has_one_code primary key (code)
);

create table service_types (
    code      text collate "C" not null, -- CRM.COM's alternative code
    name      text collate "C" not null,
    family    text collate "C",
    unit_code text collate "C" not null,
    unit_name text collate "C" not null,
    constraint a_type_has_one_code primary key (code),
    constraint a_type_names_a_family_that_exists foreign key (family) references families (code)
);

create table services (
    code             text collate "C" not null,
    alternative_code text collate "C",
    description      text collate "C" not null,
    type             text collate "C" not null,
    constraint a_service_has_one_code primary key (code),
    constraint a_service_names_a_type_that_exists foreign key (type) references service_types (code)
);

-- Every service with every type and family it ever belonged to. A record keeps
-- the number, so that what was counted stays counted where it was (SPEC R4.6).
create table placements (
    id      integer not null,
    service text collate "C"    not null,
    type    text collate "C"    not null,
    family  text collate "C"    not null, -- '' where the type belongs to none
    constraint placements_are_numbered primary key (id),
    constraint a_placement_has_one_number unique (service, type, family)
);

-- Prices by number. Records keep the number; body is the set-up file's entry.
-- rated says that a record was rated by it: then only valid_to may change
-- (SPEC R3.7), so an explanation can be worked out again from the row for ever.
create table prices (
    ref        integer     not null,
    id         text collate "C"        not null,
    service    text collate "C"        not null,
    currency   text collate "C"        not null,
    class      text collate "C",
    account    text collate "C",
    valid_from timestamptz not null,
    valid_to   timestamptz,
    body       json        not null,
    rated      boolean     not null default false,
    constraint prices_are_numbered primary key (ref),
    constraint a_price_has_one_id unique (id),
    constraint a_price_names_a_service_that_exists foreign key (service) references services (code),
    constraint a_price_is_for_a_class_or_an_account check (class is null or account is null),
    constraint a_price_ends_after_it_begins check (valid_to >= valid_from)
);

create table classes (
    key                       text collate "C"           not null,
    name                      text collate "C"           not null,
    payment_model             smallint       not null,
    threshold                 numeric(18, 6) not null,
    subzero_days              integer        not null,
    credit_limit              numeric(18, 6) not null,
    buy_with_negative_balance boolean        not null,
    is_default                boolean        not null,
    constraint a_class_has_one_key primary key (key),
    constraint a_threshold_is_not_negative check (threshold >= 0),
    constraint a_credit_limit_is_not_negative check (credit_limit >= 0),
    constraint a_subzero_period_is_days_or_for_ever check (subzero_days >= -1)
);
create unique index one_class_is_the_default on classes (is_default) where is_default;

create table customers (
    ref        text collate "C"        not null,
    name       text collate "C"        not null,
    created_at timestamptz not null,
    constraint a_customer_has_one_ref primary key (ref)
);

-- What of an account changes seldom. Its number is its key everywhere.
create table accounts (
    number          text collate "C"           not null,
    id              uuid           not null,
    customer        text collate "C"           not null,
    class           text collate "C"           not null,
    currency        text collate "C"           not null,
    time_zone       text collate "C"           not null,
    cycle_day       smallint       not null,
    opening_balance numeric(18, 6) not null,
    threshold       numeric(18, 6), -- null: the class's
    credit_limit    numeric(18, 6), -- null: the class's
    services        text[]         not null default '{}',
    applications    text[]         not null default '{}',
    limits_version  integer        not null default 0, -- 0: no limits
    created_at      timestamptz    not null,
    updated_at      timestamptz    not null,
    constraint an_account_has_one_number primary key (number),
    constraint an_account_has_one_id unique (id),
    constraint an_account_belongs_to_a_customer foreign key (customer) references customers (ref),
    constraint an_account_has_a_class foreign key (class) references classes (key),
    constraint a_month_begins_on_a_day_of_the_month check (cycle_day between 1 and 31),
    constraint an_own_threshold_is_not_negative check (threshold >= 0),
    constraint an_own_credit_limit_is_not_negative check (credit_limit >= 0)
);
create index accounts_of_a_customer on accounts (customer, number);
create index accounts_of_a_class on accounts (class, number);

-- What of an account moves with every batch: one narrow row, rewritten in
-- place (half of each page is left free for that), guarded by its version:
-- whoever changes anything of an account raises it (DESIGN §3).
create table account_states (
    account        text collate "C"           not null,
    version        bigint         not null,
    status         smallint       not null,
    status_reason  smallint       not null,
    inactive_since timestamptz,
    balance        numeric(18, 6) not null,
    current_debt   numeric(18, 6) not null,
    negative_since timestamptz, -- start of the subzero period
    due_at         timestamptz, -- from when on the credit test would change the status
    last_seq       bigint         not null, -- place of the account's newest line
    counters       bytea          not null, -- open windows; counters_of(counters) reads them
    constraint an_account_has_one_state primary key (account),
    constraint a_state_belongs_to_an_account foreign key (account) references accounts (number),
    constraint negative_since_marks_debt check ((balance < 0) = (negative_since is not null)),
    constraint inactive_since_marks_a_hold check ((status = 0) = (inactive_since is null))
) with (fillfactor = 50);
alter table account_states alter column counters set storage main;
-- The credit sweep's question. Only a change of due_at touches this index, so
-- that a batch which leaves it as it was rewrites the row in place.
create index accounts_due_for_the_credit_test on account_states (due_at, account) where due_at is not null;

-- Counters of windows that are over.
create table closed_counters (
    account  text collate "C"     not null,
    "window" smallint not null, -- 1 day, 2 month
    starts   date     not null,
    scope    smallint not null, -- 0 service, 1 type, 2 family, 3 account
    target   integer  not null, -- 0 for the account
    quantity numeric  not null,
    amount   numeric  not null,
    constraint a_closed_counter_stands_once primary key (account, "window", starts, scope, target)
);

-- Every version of limits, so that an old verdict can be explained. The account
-- '' has the limits of all accounts.
create table limits (
    account text collate "C"        not null,
    version integer     not null,
    body    json        not null,
    set_at  timestamptz not null,
    actor   text collate "C"        not null,
    constraint a_version_of_limits_stands_once primary key (account, version)
);

-- What was accepted. The payload (zstd) stays until the batch is done.
create table batches (
    id          uuid        not null, -- UUIDv7: the order of arrival within a feed
    shard       integer     not null,
    source      text collate "C"        not null,
    records     integer     not null, -- readable ones
    accepted_at timestamptz not null,
    checksum    bigint      not null, -- of the payload: one id, one content
    payload     bytea,
    done_at     timestamptz,
    failed_at   timestamptz, -- set aside: it cannot be committed, see its dead letter
    rated       integer     not null default 0,
    rejected    integer     not null default 0,
    duplicate   integer     not null default 0,
    conflict    integer     not null default 0,
    unreadable  integer     not null default 0,
    reasons     jsonb       not null default '{}',
    constraint a_batch_has_one_id primary key (id),
    constraint a_done_batch_is_accounted_for check
        (done_at is null or records = rated + rejected + duplicate + conflict)
);
alter table batches alter column payload set storage external; -- compressed already
create index batches_that_wait on batches (shard, id) where done_at is null and failed_at is null;
create index batches_by_end on batches (shard, done_at) where done_at is not null;

-- Usage records with their judgement in force. A rated record is a usage
-- posting of -charge. The key is the identity, for ever (SPEC R5.4).
create table records (
    account     text collate "C"            not null, -- number as sent
    source      text collate "C"            not null,
    id          text collate "C"            not null,
    arrival     bigint          not null, -- place of its first judgement among the account's lines
    batch       uuid            not null,
    service     text collate "C"            not null, -- code as sent
    quantity    numeric(24, 12) not null,
    occurred_at timestamptz     not null,
    directive   smallint        not null,
    amount      numeric(18, 6),
    original_id text collate "C",
    attributes  json,
    outcome     smallint        not null, -- 1 rated, 2 rejected, 3 cancelled
    reason      smallint        not null, -- 0 unless rejected
    charge      numeric(18, 6), -- null unless rated
    price       integer         not null, -- 0 where none priced it
    band        smallint        not null, -- -1: the price's own model
    placement   integer         not null, -- 0 where the service is not known
    trace       bytea           not null, -- what the explanation needs besides; see postgres/trace.go
    rated_at    timestamptz     not null,
    seq         bigint, -- place of the judgement in force, where it is not the first
    constraint a_record_stands_once primary key (account, source, id),
    constraint a_charge_marks_a_rated_record check ((outcome = 1) = (charge is not null)),
    constraint a_reason_marks_a_rejected_record check ((outcome = 2) = (reason <> 0))
);
create index credits_of_an_original on records (account, source, original_id) where original_id is not null;

-- Judgements that a cancel or a re-rate replaced (SPEC §8).
create table judgements (
    account   text collate "C"        not null,
    source    text collate "C"        not null,
    id        text collate "C"        not null,
    seq       bigint      not null, -- of the judgement that was replaced
    outcome   smallint    not null,
    reason    smallint    not null,
    charge    numeric(18, 6),
    price     integer     not null,
    band      smallint    not null,
    placement integer     not null,
    trace     bytea       not null,
    rated_at  timestamptz not null,
    ended_at  timestamptz not null,
    ended_seq bigint      not null,
    actor     text collate "C"        not null,
    note      text collate "C"        not null,
    constraint a_judgement_is_replaced_once primary key (account, source, id, seq)
);

-- Postings that are not usage records: periodic charges, payments,
-- adjustments, reversals.
create table entries (
    account       text collate "C"           not null,
    seq           bigint         not null,
    at            timestamptz    not null,
    kind          smallint       not null,
    amount        numeric(18, 6) not null, -- signed: a debit is negative
    balance_after numeric(18, 6) not null, -- postpay: current_debt
    description   text collate "C"           not null,
    key           text collate "C", -- of a payment or an adjustment
    source        text collate "C", -- of the record that a reversal takes back
    record        text collate "C",
    periodic      text collate "C", -- name of the periodic service
    actor         text collate "C"           not null,
    constraint an_entry_has_one_place primary key (account, seq)
);
create unique index a_key_is_used_once on entries (account, key) where key is not null;

-- Every change of status (SPEC R6.1).
create table status_history (
    account       text collate "C"           not null,
    seq           bigint         not null,
    at            timestamptz    not null,
    from_status   smallint       not null,
    to_status     smallint       not null,
    status_reason smallint       not null,
    note          text collate "C"           not null,
    balance       numeric(18, 6) not null,
    threshold     numeric(18, 6) not null,
    actor         text collate "C"           not null,
    constraint a_change_of_status_has_one_place primary key (account, seq)
);

-- Periodic services of accounts. prices holds what each period costs by the
-- instant from which a price applies to periods that start then or later.
create table periodic_services (
    account    text collate "C"        not null,
    name       text collate "C"        not null,
    period     smallint    not null, -- 1 daily, 2 weekly, 3 monthly, 4 yearly
    every      integer     not null,
    starts_on  date        not null,
    anchor_day smallint    not null, -- 0: the day of starts_on
    ends_on    date, -- exclusive
    prorate    boolean     not null,
    prices     jsonb       not null, -- [{"from": time or null, "price": "5"}], oldest first
    next_on    date        not null, -- first day of the next period to charge, a date of the account's zone
    due_at     timestamptz, -- its first instant; null when there is none
    ended      boolean     not null default false, -- no longer linked
    constraint a_periodic_service_has_one_name primary key (account, name),
    constraint a_period_is_every_so_many check (every >= 1)
);
create index periodic_services_due on periodic_services (due_at, account, name) where due_at is not null;

-- Every period that was charged or skipped: the key makes a charge unique for
-- ever, however many schedulers run (SPEC R7.1).
create table periodic_charges (
    account  text collate "C"           not null,
    name     text collate "C"           not null,
    starts   date           not null,
    at       timestamptz    not null,
    amount   numeric(18, 6) not null, -- what was charged; 0 where skipped
    skipped  text collate "C"           not null, -- '' or why
    seq      bigint         not null, -- of its entry, or of the skip
    constraint a_period_is_charged_once primary key (account, name, starts)
);

-- What a person must look at: unreadable lines, conflicts, batches that failed
-- for good. Never capped, never deleted: they are redriven or discarded.
create table dead_letters (
    id         uuid        not null,
    kind       smallint    not null, -- 1 unreadable, 2 conflict, 3 batch
    at         timestamptz not null,
    source     text collate "C"        not null,
    file       text collate "C"        not null,
    line       bigint      not null,
    fault      text collate "C"        not null,
    payload    bytea       not null,
    batch      uuid,
    settled_at timestamptz,
    settled_by text collate "C", -- redriven or discarded
    constraint a_dead_letter_has_one_id primary key (id)
);
create index dead_letters_open on dead_letters (at, id) where settled_at is null;
create index dead_letters_of_a_batch on dead_letters (batch) where batch is not null;

-- Who consumes a shard. The lease only saves work: the versions of accounts
-- and done_at of batches keep two consumers of a shard from doing harm.
create table shard_leases (
    shard      integer     not null,
    holder     uuid        not null,
    fence      bigint      not null,
    expires_at timestamptz not null,
    constraint a_shard_has_one_lease primary key (shard)
);

create table workers (
    id      uuid        not null,
    seen_at timestamptz not null,
    constraint a_worker_has_one_id primary key (id)
);

-- Who leads the schedulers: one row, once there was a leader. Like a shard's, the
-- lease only saves work; keys and versions make a second leader harmless. The
-- fence rises with every new leader.
create table leader (
    only_row   boolean     not null default true,
    holder     uuid        not null,
    fence      bigint      not null,
    expires_at timestamptz not null,
    constraint there_is_one_leader primary key (only_row),
    constraint leader_row_is_the_one check (only_row)
);

-- What schedulers and the commands sweep and charge did: kept for a month. A run
-- that never finished was at work when its process ended.
create table runs (
    id          uuid             not null, -- UUIDv7: the order in which they began
    job         text collate "C" not null,
    fence       bigint, -- of the leader; null: a command
    as_of       timestamptz      not null, -- the now of all that it decided
    started_at  timestamptz      not null,
    finished_at timestamptz,
    counts      jsonb            not null default '{}',
    fault       text collate "C" not null default '', -- why it failed
    constraint a_run_has_one_id primary key (id)
);
create index runs_of_a_job on runs (job, started_at);
create index runs_that_failed on runs (job, started_at) where fault <> '';

-- What others are told of: changes of status, and periodic charges that were
-- skipped or not covered. Written in the transaction of what they tell of, with
-- its place among the account's lines.
create table notices (
    account       text collate "C" not null,
    seq           bigint           not null,
    body          text             not null, -- a CloudEvent, as it is sent and signed
    written_at    timestamptz      not null default now(), -- by the one clock: how long it is kept
    handed_out_at timestamptz, -- when its deliveries were made; null: no webhook was there yet
    constraint a_line_has_one_notice primary key (account, seq)
);
create index notices_to_hand_out on notices (written_at) where handed_out_at is null;

-- A notice on its way to a webhook. The row goes when the notice was taken; it
-- stays without a due time when the last try has failed, until it is replayed or
-- discarded.
create table deliveries (
    account  text collate "C" not null,
    seq      bigint           not null,
    webhook  text collate "C" not null, -- its address, without secrets
    tries    integer          not null default 0,
    due_at   timestamptz, -- of the next try; null: dead
    tried_at timestamptz,
    fault    text collate "C" not null default '', -- of the last try
    constraint a_notice_goes_to_a_webhook_once primary key (account, seq, webhook),
    constraint a_delivery_has_a_notice foreign key (account, seq) references notices (account, seq)
);
create index deliveries_due on deliveries (webhook, due_at) where due_at is not null;
create index deliveries_dead on deliveries (tried_at) where due_at is null;

-- The numbers of counters, read out of account_states.counters (the form is
-- that of billing.Counters).
-- +goose StatementBegin
create function counters_of(counters bytea)
    returns table (scope smallint, "window" smallint, target integer, starts date, quantity numeric, amount numeric)
    language plpgsql immutable as
$$
declare
    at   integer := 1;
    head integer;
    v    numeric;
    w    numeric;
    open numeric[] := '{}';
    sums numeric[];
    shift numeric;
    byte integer;
    i    integer;
begin
    if length(counters) = 0 then
        return;
    end if;
    for i in 1..2 loop -- open_day, open_month: zigzag varints
        v := 0; shift := 1;
        loop
            byte := get_byte(counters, at); at := at + 1;
            v := v + (byte & 127) * shift; shift := shift * 128;
            exit when byte < 128;
        end loop;
        open := open || case when v % 2 = 0 then div(v, 2) else -div(v, 2) - 1 end;
    end loop;
    while at < length(counters) loop
        head := get_byte(counters, at); at := at + 1;
        scope := head & 3;
        "window" := head >> 2;
        sums := '{}';
        for i in 1..2 loop -- target, days since the first open window
            v := 0; shift := 1;
            loop
                byte := get_byte(counters, at); at := at + 1;
                v := v + (byte & 127) * shift; shift := shift * 128;
                exit when byte < 128;
            end loop;
            sums := sums || v;
        end loop;
        target := sums[1];
        starts := date '1970-01-01' + (open["window"] + sums[2])::integer;
        sums := '{}';
        for i in 1..2 loop -- quantity, amount: places, sign, then low and high words
            head := get_byte(counters, at); at := at + 1;
            v := 0; shift := 1;
            loop
                byte := get_byte(counters, at); at := at + 1;
                v := v + (byte & 127) * shift; shift := shift * 128;
                exit when byte < 128;
            end loop;
            if head & 2 <> 0 then
                w := 0; shift := 1;
                loop
                    byte := get_byte(counters, at); at := at + 1;
                    w := w + (byte & 127) * shift; shift := shift * 128;
                    exit when byte < 128;
                end loop;
                v := v + w * 18446744073709551616;
            end if;
            v := v * (('1e-' || (head >> 2))::numeric);
            sums := sums || case when head & 1 <> 0 then -v else v end;
        end loop;
        quantity := sums[1];
        amount := sums[2];
        return next;
    end loop;
end
$$;
-- +goose StatementEnd

-- What an operator reads: every counter of every account, open and closed.
create view counters as
    select s.account, c.scope, c."window", c.starts, t.code as target, c.quantity, c.amount
    from   account_states s
    cross join lateral counters_of(s.counters) c
    left join targets t on t.id = c.target
    union all
    select c.account, c.scope, c."window", c.starts, t.code, c.quantity, c.amount
    from   closed_counters c
    left join targets t on t.id = c.target;

-- Every posting of every account, usage included: what moved a balance
-- (SPEC R9.1). Replaced judgements stay postings; their reversals are entries.
create view postings as
    select account, coalesce(seq, arrival) as seq, rated_at as at, 1::smallint as kind, -charge as amount
    from   records
    where  outcome = 1
    union all
    select account, seq, rated_at, 1::smallint, -charge
    from   judgements
    where  outcome = 1
    union all
    select account, seq, at, kind, amount
    from   entries;
