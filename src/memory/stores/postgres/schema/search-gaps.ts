import { CHARACTERS_PER_BLOCK, IDS_PER_BLOCK } from "../../../search/block.js";
import { ATTRIBUTES } from "./attributes.js";

/**
 * The same functions as in `SEARCH`, with an order. Without one, PostgreSQL expected to meet the
 * few messages it needs anywhere in the table, and read all of it.
 */
export const SEARCH_GAPS = `
CREATE OR REPLACE FUNCTION agno_chat.has_message_between(
  p_user text, p_after bigint, p_before bigint)
RETURNS boolean ${ATTRIBUTES} AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM agno_chat.sessions s CROSS JOIN LATERAL (
      SELECT FROM agno_chat.messages m
      WHERE m.user_id = p_user AND m.session_key = s.session_key
        AND m.message_id > p_after AND m.message_id < p_before
      ORDER BY m.message_id LIMIT 1) x
    WHERE s.user_id = p_user);
END $$;

CREATE OR REPLACE FUNCTION agno_chat.search_gap_v1(
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
      ORDER BY m.message_id LIMIT ${IDS_PER_BLOCK}) x
    WHERE s.user_id = p_user;
  IF rest.messages >= ${IDS_PER_BLOCK} OR rest.characters > ${CHARACTERS_PER_BLOCK} THEN
    after_id := last_id;
    before_id := u.next_message_id;
  END IF;
END $$;
`;
