/**
 * How every function runs: as the owner, whom row security binds; each statement in it sees what was
 * committed before it began; and it waits for a lock no longer than this. A plan for any user is as
 * good as one for this user, and is made once.
 */
export const ATTRIBUTES = `
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET lock_timeout = '10s'`;
