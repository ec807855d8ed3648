-- What the auth server keeps: users with passwords, their sessions, and refresh tokens. Runs right
-- after bootstrap.sql, in the same transaction. Hosted projects keep more, under the same names.

alter table auth.users
    add column encrypted_password text,
    add column email_confirmed_at timestamptz not null default now(),
    add column last_sign_in_at timestamptz;

create table auth.sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users on delete cascade,
    created_at timestamptz not null default now()
);
create index sessions_user_id_idx on auth.sessions (user_id);
grant all on auth.sessions to postgres;

-- A token is good for one refresh. `used_at` is null in the one that a session has now.
create table auth.refresh_tokens (
    token text primary key default replace(gen_random_uuid()::text, '-', ''),
    session_id uuid not null references auth.sessions on delete cascade,
    used_at timestamptz
);
create index refresh_tokens_session_id_idx on auth.refresh_tokens (session_id);
grant all on auth.refresh_tokens to postgres;

create function auth.user_as_json(p_user auth.users)
returns jsonb
language sql
stable
as $$
    select jsonb_build_object(
        'id', p_user.id,
        'aud', p_user.aud,
        'role', p_user.role,
        'email', p_user.email,
        'phone', '',
        'email_confirmed_at', p_user.email_confirmed_at,
        'confirmed_at', p_user.email_confirmed_at,
        'last_sign_in_at', p_user.last_sign_in_at,
        'app_metadata',
        '{"provider": "email", "providers": ["email"]}' || p_user.raw_app_meta_data,
        'user_metadata', p_user.raw_user_meta_data,
        'identities', jsonb_build_array(jsonb_build_object(
            'identity_id', p_user.id,
            'id', p_user.id,
            'user_id', p_user.id,
            'identity_data', jsonb_build_object('sub', p_user.id, 'email', p_user.email),
            'provider', 'email',
            'email', p_user.email,
            'last_sign_in_at', p_user.last_sign_in_at,
            'created_at', p_user.created_at,
            'updated_at', p_user.updated_at
        )),
        'created_at', p_user.created_at,
        'updated_at', p_user.updated_at,
        'is_anonymous', false
    )
$$;

-- The state of a session with the refresh token that it has now.
create function auth.session_as_json(p_session_id uuid)
returns jsonb
language sql
stable
as $$
    select jsonb_build_object(
        'session_id', sessions.id,
        'refresh_token', refresh_tokens.token,
        'user', auth.user_as_json(users)
    )
    from auth.sessions
    join auth.users on users.id = sessions.user_id
    join auth.refresh_tokens on refresh_tokens.session_id = sessions.id
    where sessions.id = p_session_id and refresh_tokens.used_at is null
$$;

create function auth.start_session(p_user_id uuid)
returns jsonb
language plpgsql
as $$
declare
    new_session_id uuid;
begin
    update auth.users set last_sign_in_at = now() where id = p_user_id;
    insert into auth.sessions (user_id) values (p_user_id) returning id into new_session_id;
    insert into auth.refresh_tokens (session_id) values (new_session_id);
    return auth.session_as_json(new_session_id);
end;
$$;

-- As on a hosted project: a token that is used again within ten seconds was probably sent twice,
-- and gets what the first use got. Later, it may have been stolen, and ends the session.
create function auth.refresh_session(p_token text)
returns jsonb
language plpgsql
as $$
declare
    given auth.refresh_tokens;
begin
    select * into given from auth.refresh_tokens where token = p_token for update;
    if not found then
        return '{"error": "refresh_token_not_found"}';
    end if;
    if given.used_at < now() - interval '10 seconds' then
        delete from auth.sessions where id = given.session_id;
        return '{"error": "refresh_token_already_used"}';
    end if;
    if given.used_at is null then
        update auth.refresh_tokens set used_at = now() where token = p_token;
        insert into auth.refresh_tokens (session_id) values (given.session_id);
    end if;
    return auth.session_as_json(given.session_id);
end;
$$;
