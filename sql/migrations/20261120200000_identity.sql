-- Who may do what: people, their sessions and invitations, agents, tokens; what they changed; and whose a server is.

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text UNIQUE,
    email text UNIQUE,
    password_hash text NOT NULL,
    role text CHECK (role IN ('admin', 'editor', 'viewer')),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_login timestamptz,
    CHECK (username IS NOT NULL OR email IS NOT NULL)
);
COMMENT ON TABLE users IS 'People who can sign in.';
COMMENT ON COLUMN users.id IS 'Never reused.';
COMMENT ON COLUMN users.username IS 'One of the two names to sign in with.';
COMMENT ON COLUMN users.email IS 'The other one, in lower case.';
COMMENT ON COLUMN users.password_hash IS 'Argon2id, in the PHC form.';
COMMENT ON COLUMN users.role IS 'What the person may do to the fleet: admin, editor or viewer. Null: nothing, only to servers of their own.';
COMMENT ON COLUMN users.is_active IS 'False: cannot sign in, and is signed out everywhere.';
COMMENT ON COLUMN users.created_at IS 'When the person registered or was added.';
COMMENT ON COLUMN users.updated_at IS 'Last change of name, password, role or state.';
COMMENT ON COLUMN users.last_login IS 'Last time the password was right.';

CREATE TABLE sessions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used timestamptz NOT NULL,
    address inet NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
COMMENT ON TABLE sessions IS 'Browsers that are signed in.';
COMMENT ON COLUMN sessions.id IS 'What a person names a session by when revoking it.';
COMMENT ON COLUMN sessions.hash IS 'SHA-256 of what the cookie holds.';
COMMENT ON COLUMN sessions.user_id IS 'Who is signed in.';
COMMENT ON COLUMN sessions.created_at IS 'When.';
COMMENT ON COLUMN sessions.expires_at IS 'Until when.';
COMMENT ON COLUMN sessions.last_used IS 'Last request, to the minute.';
COMMENT ON COLUMN sessions.address IS 'From where.';
COMMENT ON COLUMN sessions.user_agent IS 'With which browser, as it said, cut short.';

CREATE TABLE refresh_tokens (
    jti uuid PRIMARY KEY,
    family uuid NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
COMMENT ON TABLE refresh_tokens IS 'Refresh tokens that were handed out and have not expired.';
COMMENT ON COLUMN refresh_tokens.jti IS 'The number in the token.';
COMMENT ON COLUMN refresh_tokens.family IS 'All tokens that followed from one signing in. When a used one comes again, all of them end.';
COMMENT ON COLUMN refresh_tokens.user_id IS 'Whose.';
COMMENT ON COLUMN refresh_tokens.expires_at IS 'Until when it can be used.';
COMMENT ON COLUMN refresh_tokens.revoked_at IS 'When it was used or revoked; null while it is good.';

CREATE TABLE invites (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    role text CHECK (role IN ('admin', 'editor', 'viewer')),
    created_by bigint REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_by bigint REFERENCES users ON DELETE SET NULL,
    used_at timestamptz
);
COMMENT ON TABLE invites IS 'Codes that let one person register.';
COMMENT ON COLUMN invites.id IS 'What an invitation is revoked by.';
COMMENT ON COLUMN invites.hash IS 'SHA-256 of the code.';
COMMENT ON COLUMN invites.role IS 'The role the person gets, or null for none.';
COMMENT ON COLUMN invites.created_by IS 'Who invited; null for the code that sets up the first admin.';
COMMENT ON COLUMN invites.created_at IS 'When.';
COMMENT ON COLUMN invites.expires_at IS 'Until when it can be used.';
COMMENT ON COLUMN invites.used_by IS 'Who came.';
COMMENT ON COLUMN invites.used_at IS 'When; null while it is open.';

ALTER TABLE servers ADD COLUMN owner bigint REFERENCES users ON DELETE CASCADE;
ALTER TABLE servers DROP CONSTRAINT servers_hostname_key;
CREATE UNIQUE INDEX servers_hostname ON servers (hostname) WHERE owner IS NULL;
CREATE INDEX servers_owner ON servers (owner) WHERE owner IS NOT NULL;
COMMENT ON COLUMN servers.owner IS 'The person it belongs to; null: it belongs to the fleet, where host names are unique.';

CREATE TABLE agents (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server integer NOT NULL UNIQUE REFERENCES servers (key) ON DELETE CASCADE,
    owner bigint REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    machine_id text UNIQUE,
    is_active boolean NOT NULL DEFAULT true,
    interval_seconds integer,
    created_at timestamptz NOT NULL
);
CREATE INDEX agents_owner ON agents (owner);
COMMENT ON TABLE agents IS 'Programs that send data of one server with a token of their own.';
COMMENT ON COLUMN agents.id IS 'The number its owner knows it by.';
COMMENT ON COLUMN agents.server IS 'The only server it may speak for.';
COMMENT ON COLUMN agents.owner IS 'The person it belongs to; null: it is an endpoint of the fleet.';
COMMENT ON COLUMN agents.name IS 'As the owner called it; for an endpoint its host name.';
COMMENT ON COLUMN agents.machine_id IS 'What an endpoint says it is; null for agents of persons.';
COMMENT ON COLUMN agents.is_active IS 'False once deleted: its token is refused.';
COMMENT ON COLUMN agents.interval_seconds IS 'How often it says it sends, where it says so.';
COMMENT ON COLUMN agents.created_at IS 'When it was added.';

CREATE TABLE tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    agent integer UNIQUE REFERENCES agents ON DELETE CASCADE,
    created_by bigint REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    rights text[] NOT NULL,
    servers uuid[],
    labels jsonb,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    activated_at timestamptz,
    revoked_at timestamptz,
    last_used timestamptz,
    last_address inet
);
CREATE INDEX tokens_created_by ON tokens (created_by);
COMMENT ON TABLE tokens IS 'What programs show to be let in. The tokens themselves are nowhere.';
COMMENT ON COLUMN tokens.id IS 'What a token is revoked by.';
COMMENT ON COLUMN tokens.hash IS 'SHA-256 of the token, which is random enough to need no more.';
COMMENT ON COLUMN tokens.agent IS 'The agent whose token it is; null for tokens that people make for their programs.';
COMMENT ON COLUMN tokens.created_by IS 'The person on whose behalf it acts: it never reaches further than they do.';
COMMENT ON COLUMN tokens.name IS 'What it is for.';
COMMENT ON COLUMN tokens.rights IS 'What may be done with it: ingest, read, observe, change, administer.';
COMMENT ON COLUMN tokens.servers IS 'The servers it is for; null: all that its maker reaches.';
COMMENT ON COLUMN tokens.labels IS 'Labels a server must have for it; null: none.';
COMMENT ON COLUMN tokens.created_at IS 'When it was made.';
COMMENT ON COLUMN tokens.expires_at IS 'Until when it is good; null: for good.';
COMMENT ON COLUMN tokens.activated_at IS 'First use of an agent''s token, after which it does not expire.';
COMMENT ON COLUMN tokens.revoked_at IS 'When it was revoked; null while it is good.';
COMMENT ON COLUMN tokens.last_used IS 'Last use, to the minute.';
COMMENT ON COLUMN tokens.last_address IS 'From where that was.';

CREATE TABLE settings (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    updated_by bigint REFERENCES users ON DELETE SET NULL
);
COMMENT ON TABLE settings IS 'What people set while the server runs.';
COMMENT ON COLUMN settings.key IS 'A group of settings.';
COMMENT ON COLUMN settings.value IS 'Only what differs from the defaults.';
COMMENT ON COLUMN settings.version IS 'Counts the changes; a change that knew an older one is refused.';
COMMENT ON COLUMN settings.updated_at IS 'Last change.';
COMMENT ON COLUMN settings.updated_by IS 'By whom.';

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    user_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    details jsonb NOT NULL,
    address inet
);
CREATE INDEX audit_at ON audit (at);
COMMENT ON TABLE audit IS 'Who changed what, and who signed in or tried to.';
COMMENT ON COLUMN audit.id IS 'Grows with time.';
COMMENT ON COLUMN audit.at IS 'When.';
COMMENT ON COLUMN audit.actor IS 'Who, as text: it outlives the person''s row.';
COMMENT ON COLUMN audit.user_id IS 'The person, where it was one.';
COMMENT ON COLUMN audit.action IS 'What was done, such as token.revoke.';
COMMENT ON COLUMN audit.subject IS 'To what.';
COMMENT ON COLUMN audit.details IS 'What else is worth knowing; never a secret.';
COMMENT ON COLUMN audit.address IS 'From where.';

CREATE TABLE auth_revision (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    revision bigint NOT NULL
);
INSERT INTO auth_revision (revision) VALUES (0);
COMMENT ON TABLE auth_revision IS 'One row, as catalog_revision.';
COMMENT ON COLUMN auth_revision.is_only IS 'Keeps the table at one row.';
COMMENT ON COLUMN auth_revision.revision IS 'Counts the statements after which someone may do less than before. Who reads a new number sees them done.';

CREATE FUNCTION count_auth_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE auth_revision SET revision = revision + 1;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_auth_revision() IS 'Tells every process to forget whom it knows.';

CREATE TRIGGER users_changed AFTER DELETE OR UPDATE OF password_hash, role, is_active ON users
    FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER users_changed ON users IS 'Moves auth_revision on.';
CREATE TRIGGER sessions_changed AFTER DELETE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER sessions_changed ON sessions IS 'Moves auth_revision on.';
CREATE TRIGGER agents_changed AFTER DELETE OR UPDATE OF is_active, name, owner ON agents
    FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER agents_changed ON agents IS 'Moves auth_revision on.';
CREATE TRIGGER tokens_changed AFTER DELETE OR UPDATE OF hash, rights, servers, labels, expires_at, revoked_at ON tokens
    FOR EACH STATEMENT EXECUTE FUNCTION count_auth_revision();
COMMENT ON TRIGGER tokens_changed ON tokens IS 'Moves auth_revision on.';

CREATE FUNCTION within_reach(owner bigint, id uuid, labels jsonb, reach jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT reach IS NULL
    OR (CASE WHEN owner IS NULL THEN (reach ->> 'fleet')::boolean
        ELSE (reach ->> 'everyone')::boolean OR owner = (reach ->> 'owner')::bigint END IS TRUE
        AND (reach -> 'servers' IS NULL OR reach -> 'servers' ? id::text)
        AND (reach -> 'labels' IS NULL OR labels @> (reach -> 'labels')))
$$;
COMMENT ON FUNCTION within_reach(bigint, uuid, jsonb, jsonb) IS 'Whether a server with this owner, id and labels is among those that a caller may see. A null reach is everything.';
