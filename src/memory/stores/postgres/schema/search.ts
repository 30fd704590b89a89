import { CHARACTERS_PER_BLOCK, IDS_PER_BLOCK } from "../../../search/block.js";
import { ATTRIBUTES } from "./attributes.js";

/**
 * An index of long histories, which the first search builds. A block is dropped with the first of
 * its messages that goes, however it goes, and built again by the next search.
 *
 * - `search_blocks`: consecutive messages of a user; `sessions` are the keys of theirs.
 * - `search_parts`: what a block knows of texts; see src/memory/search/block.ts.
 */
export const SEARCH = `
CREATE TABLE agno_chat.search_blocks (
  user_id text COLLATE "C" NOT NULL,
  first_id bigint NOT NULL,
  last_id bigint NOT NULL,
  latest bigint NOT NULL,
  parts bigint NOT NULL,
  sessions bigint[] NOT NULL,
  PRIMARY KEY (user_id, first_id));

CREATE TABLE agno_chat.search_parts (
  user_id text COLLATE "C" NOT NULL,
  first_id bigint NOT NULL,
  part bigint NOT NULL,
  postings bytea NOT NULL,
  PRIMARY KEY (user_id, first_id, part));
ALTER TABLE agno_chat.search_parts ALTER postings SET STORAGE EXTERNAL;

${["search_blocks", "search_parts"]
  .map(
    (table) => `
ALTER TABLE agno_chat.${table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agno_chat.${table}
  USING (user_id = current_setting('agno_chat.user_id', true));`,
  )
  .join("")}

-- Drops the blocks around the messages that are gone, and their neighbours of up to 256 ids away.
CREATE FUNCTION agno_chat.drop_search_blocks() RETURNS trigger ${ATTRIBUTES} AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM agno_chat.search_blocks) THEN RETURN NULL; END IF;
  WITH dropped AS (
    DELETE FROM agno_chat.search_blocks b
      USING (SELECT DISTINCT g.user_id, g.message_id >> 8 AS near FROM gone g) n
      WHERE b.user_id = n.user_id
        AND b.first_id <= (n.near << 8) + 255 AND b.last_id >= n.near << 8
      RETURNING b.user_id, b.first_id)
  DELETE FROM agno_chat.search_parts p USING dropped d
    WHERE p.user_id = d.user_id AND p.first_id = d.first_id;
  RETURN NULL;
END $$;
CREATE TRIGGER drop_search_blocks AFTER DELETE ON agno_chat.messages
  REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION agno_chat.drop_search_blocks();

CREATE FUNCTION agno_chat.drop_all_search_blocks() RETURNS trigger ${ATTRIBUTES} AS $$
BEGIN
  TRUNCATE agno_chat.search_blocks, agno_chat.search_parts;
  RETURN NULL;
END $$;
CREATE TRIGGER drop_all_search_blocks AFTER TRUNCATE ON agno_chat.messages
  FOR EACH STATEMENT EXECUTE FUNCTION agno_chat.drop_all_search_blocks();

CREATE FUNCTION agno_chat.has_message_between(p_user text, p_after bigint, p_before bigint)
RETURNS boolean ${ATTRIBUTES} AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM agno_chat.sessions s CROSS JOIN LATERAL (
      SELECT FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key
        AND m.message_id > p_after AND m.message_id < p_before LIMIT 1) x
    WHERE s.user_id = p_user);
END $$;

-- The messages that need a block next: those before one, or those after all if they are many.
-- p_lock: so that nobody deletes any of them until the transaction ends.
CREATE FUNCTION agno_chat.search_gap_v1(
  p_user text, p_lock boolean, OUT after_id bigint, OUT before_id bigint) ${ATTRIBUTES} AS $$
DECLARE
  u agno_chat.users;
  b record;
  rest record;
  last_id bigint := 0;
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  IF p_lock THEN
    PERFORM agno_chat.refuse_old_snapshot();
    SELECT * INTO u FROM agno_chat.users x WHERE x.user_id = p_user FOR UPDATE;
  ELSE
    SELECT * INTO u FROM agno_chat.users x WHERE x.user_id = p_user;
  END IF;
  FOR b IN SELECT x.first_id, x.last_id FROM agno_chat.search_blocks x
      WHERE x.user_id = p_user ORDER BY x.first_id LOOP
    IF b.first_id > last_id + 1
        AND agno_chat.has_message_between(p_user, last_id, b.first_id) THEN
      after_id := last_id;
      before_id := b.first_id;
      RETURN;
    END IF;
    last_id := b.last_id;
  END LOOP;
  IF u.next_message_id - last_id <= ${IDS_PER_BLOCK} AND (
      SELECT coalesce(sum(s.bytes), 0) FROM agno_chat.sessions s WHERE s.user_id = p_user
    ) <= ${CHARACTERS_PER_BLOCK} THEN
    RETURN;
  END IF;
  SELECT count(*) AS messages, coalesce(sum(x.characters), 0) AS characters INTO rest
    FROM agno_chat.sessions s CROSS JOIN LATERAL (
      SELECT m.characters FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key AND m.message_id > last_id
      LIMIT ${IDS_PER_BLOCK}) x
    WHERE s.user_id = p_user;
  IF rest.messages >= ${IDS_PER_BLOCK} OR rest.characters > ${CHARACTERS_PER_BLOCK} THEN
    after_id := last_id;
    before_id := u.next_message_id;
  END IF;
END $$;

-- In the transaction that has locked the gap. p_postings are Base64.
CREATE FUNCTION agno_chat.add_search_block_v1(
  p_user text, p_first bigint, p_last bigint, p_latest bigint, p_postings text[])
RETURNS void ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  INSERT INTO agno_chat.search_blocks
    SELECT p_user, p_first, p_last, p_latest, cardinality(p_postings), array_agg(s.session_key)
    FROM agno_chat.sessions s CROSS JOIN LATERAL (
      SELECT FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key
        AND m.message_id BETWEEN p_first AND p_last LIMIT 1) x
    WHERE s.user_id = p_user;
  INSERT INTO agno_chat.search_parts
    SELECT p_user, p_first, x.index - 1, decode(x.postings, 'base64')
    FROM unnest(p_postings) WITH ORDINALITY AS x (postings, index);
END $$;

-- Newest first. has_gap: whether there are messages between the block and the next newer one.
CREATE FUNCTION agno_chat.search_blocks_v1(p_user text)
RETURNS TABLE (first_id bigint, last_id bigint, latest bigint, parts bigint, has_gap boolean)
${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY
    SELECT b.first_id, b.last_id, b.latest, b.parts,
      b.next IS NULL OR (b.next > b.last_id + 1
        AND agno_chat.has_message_between(p_user, b.last_id, b.next))
    FROM (
      SELECT x.*, lead(x.first_id) OVER (ORDER BY x.first_id) AS next
      FROM agno_chat.search_blocks x WHERE x.user_id = p_user) b
    ORDER BY b.first_id DESC;
END $$;

CREATE FUNCTION agno_chat.search_parts_v1(p_user text, p_firsts bigint[], p_parts bigint[])
RETURNS TABLE (first_id bigint, postings text) ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY
    SELECT x.first_id, encode(x.postings, 'base64')
    FROM unnest(p_firsts, p_parts) AS w (first_id, part) JOIN agno_chat.search_parts x
      ON x.user_id = p_user AND x.first_id = w.first_id AND x.part = w.part;
END $$;

-- Messages by their blocks and ids, as page_v1 returns them.
CREATE FUNCTION agno_chat.search_messages_v1(p_user text, p_firsts bigint[], p_ids bigint[])
RETURNS SETOF text ${ATTRIBUTES} AS $$
BEGIN
  PERFORM set_config('agno_chat.user_id', p_user, true);
  RETURN QUERY
    SELECT '[' || m.message_id || ',' || m.created_at || ',' || m.run || ',' || m.body || ','
        || to_json(s.session_id) || ']'
    FROM unnest(p_firsts, p_ids) AS w (first_id, id)
    JOIN agno_chat.search_blocks b ON b.user_id = p_user AND b.first_id = w.first_id
    CROSS JOIN LATERAL unnest(b.sessions) AS k (session_key)
    JOIN agno_chat.messages m
      ON m.user_id = p_user AND m.session_key = k.session_key AND m.message_id = w.id
    JOIN agno_chat.sessions s ON s.user_id = p_user AND s.session_key = m.session_key;
END $$;
`;
