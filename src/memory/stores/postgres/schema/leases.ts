import { ATTRIBUTES } from "./attributes.js";

/**
 * One run at a time per user and session, over all servers. A row exists only while somebody has a
 * lease or waits for one. Times are those of the database, since clocks of servers differ.
 *
 * - A fence is larger than every earlier one of its session, also of rows that are gone, so it is
 *   made of the time.
 * - Who waits first is next: a server with a long queue of its own cannot keep the others out. They
 *   ask again all the time, so one who has not for two seconds is gone.
 */
export const LEASES = `
CREATE TABLE agno_chat.leases (
  user_id text COLLATE "C" NOT NULL,
  session_id text COLLATE "C" NOT NULL,
  holder uuid NOT NULL,
  fence bigint NOT NULL,
  expires_at timestamptz NOT NULL,
  next_holder uuid,
  next_until timestamptz,
  PRIMARY KEY (user_id, session_id));
ALTER TABLE agno_chat.leases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agno_chat.leases
  USING (user_id = current_setting('agno_chat.user_id', true));
CREATE POLICY left_behind ON agno_chat.leases
  USING (current_setting('agno_chat.list', true) = 'leases' AND expires_at < clock_timestamp());

-- Takes the lease and reads as read_v1 does; no rows while somebody else has it. Whoever has it
-- already gets it again.
CREATE FUNCTION agno_chat.take_lease_v1(
  p_user text, p_session text, p_limit bigint, p_holder uuid, p_ms bigint)
RETURNS TABLE (fence bigint, line text) ${ATTRIBUTES} AS $$
DECLARE
  taken bigint;
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  -- If a crash of the database loses it, its holder stores nothing.
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO agno_chat.leases AS l VALUES (
      p_user, p_session, p_holder, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
      clock_timestamp() + p_ms * interval '1 ms', NULL, NULL)
    ON CONFLICT (user_id, session_id) DO UPDATE SET
      holder = p_holder,
      fence = greatest(l.fence + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
      expires_at = clock_timestamp() + p_ms * interval '1 ms',
      next_holder = nullif(l.next_holder, p_holder)
    WHERE l.holder = p_holder OR l.expires_at < clock_timestamp() AND (
      l.next_holder IS NULL OR l.next_holder = p_holder OR l.next_until < clock_timestamp())
    RETURNING l.fence INTO taken;
  IF taken IS NULL THEN
    UPDATE agno_chat.leases l
      SET next_holder = p_holder, next_until = clock_timestamp() + interval '2 s'
      WHERE l.user_id = p_user AND l.session_id = p_session AND (
        l.next_holder IS NULL OR l.next_holder = p_holder OR l.next_until < clock_timestamp());
    RETURN;
  END IF;
  RETURN QUERY SELECT taken, r FROM agno_chat.read_v1(p_user, p_session, p_limit) r;
END $$;

-- False when somebody else has taken it.
CREATE FUNCTION agno_chat.renew_lease_v1(
  p_user text, p_session text, p_holder uuid, p_fence bigint, p_ms bigint)
RETURNS boolean ${ATTRIBUTES} AS $$
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE agno_chat.leases l SET expires_at = clock_timestamp() + p_ms * interval '1 ms'
    WHERE l.user_id = p_user AND l.session_id = p_session
      AND l.holder = p_holder AND l.fence = p_fence;
  RETURN FOUND;
END $$;

-- Of somebody who has the lease, or waits for it.
CREATE FUNCTION agno_chat.release_lease_v1(p_user text, p_session text, p_holder uuid)
RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  UPDATE agno_chat.leases l SET
      expires_at = CASE l.holder WHEN p_holder THEN '-infinity' ELSE l.expires_at END,
      next_holder = nullif(l.next_holder, p_holder)
    WHERE l.user_id = p_user AND l.session_id = p_session
      AND p_holder IN (l.holder, l.next_holder);
  DELETE FROM agno_chat.leases l
    WHERE l.user_id = p_user AND l.session_id = p_session AND l.expires_at = '-infinity'
      AND (l.next_holder IS NULL OR l.next_until < clock_timestamp());
END $$;

-- write_v1 by the holder of the lease, which is given back when it is stored. outcome can also be
-- LEASE_LOST.
CREATE FUNCTION agno_chat.write_leased_v1(
  p_holder uuid, p_fence bigint,
  p_user text, p_session text, p_time bigint, p_commit uuid, p_is_repeat boolean,
  p_generation bigint, p_scopes text[], p_expected_keys text[], p_expected_values text[],
  p_replaced_run text, p_new_run text,
  p_roles text[], p_runs text[], p_created bigint[], p_bytes bigint[], p_characters bigint[],
  p_bodies text[], p_keys text[], p_values text[],
  OUT outcome text, OUT first_id bigint, OUT run text) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM agno_chat.refuse_old_snapshot();
  PERFORM set_config('agno_chat.user_id', p_user, true);
  -- Whoever wants to take it over has to wait from here on, and reads what is stored.
  PERFORM FROM agno_chat.leases l
    WHERE l.user_id = p_user AND l.session_id = p_session
      AND l.holder = p_holder AND l.fence = p_fence FOR UPDATE;
  -- An earlier attempt may have stored it and given the lease back.
  IF NOT FOUND AND NOT (p_is_repeat AND EXISTS (
      SELECT FROM agno_chat.sessions s
      WHERE s.user_id = p_user AND s.session_id = p_session AND (
        p_commit = ANY (s.state_commits) OR EXISTS (
          SELECT FROM agno_chat.messages m
          WHERE m.user_id = p_user AND m.session_key = s.session_key
            AND m.commit_id = p_commit)))) THEN
    outcome := 'LEASE_LOST';
    RETURN;
  END IF;
  SELECT w.outcome, w.first_id, w.run INTO outcome, first_id, run FROM agno_chat.write_v1(
    p_user, p_session, p_time, p_commit, p_is_repeat, p_generation, p_scopes, p_expected_keys,
    p_expected_values, p_replaced_run, p_new_run, p_roles, p_runs, p_created, p_bytes,
    p_characters, p_bodies, p_keys, p_values) w;
  IF outcome = 'STORED' THEN
    PERFORM agno_chat.release_lease_v1(p_user, p_session, p_holder);
  END IF;
END $$;

-- With every delete, the ids go that processes left behind when they were killed.
CREATE FUNCTION agno_chat.sweep_leases() RETURNS trigger ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.list', 'leases', true);
  DELETE FROM agno_chat.leases WHERE (user_id, session_id) IN (
    SELECT l.user_id, l.session_id FROM agno_chat.leases l
    WHERE l.expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED);
  PERFORM set_config('agno_chat.list', '', true);
  RETURN NULL;
END $$;
CREATE TRIGGER sweep_leases AFTER DELETE OR TRUNCATE ON agno_chat.sessions
  FOR EACH STATEMENT EXECUTE FUNCTION agno_chat.sweep_leases();

CREATE OR REPLACE FUNCTION agno_chat.about_v1(OUT version int, OUT owner text, OUT is_bound boolean)
${ATTRIBUTES} AS $$
BEGIN
  SELECT x.version INTO version FROM agno_chat.meta x;
  owner := current_user;
  SELECT bool_and(row_security_active(c.oid)) INTO is_bound FROM pg_class c
    WHERE c.relnamespace = 'agno_chat'::regnamespace AND c.relkind = 'r' AND EXISTS (
      SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id');
END $$;
`;
