/**
 * How every function runs: as the owner, to whom row security applies; each statement sees what was
 * committed before it began; a lock is awaited for at most this time. One plan serves all users and
 * is made once.
 */
export const ATTRIBUTES = `
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET lock_timeout = '10s'`;
