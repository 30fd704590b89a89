/**
 * The attributes of every function. It runs as the owner, to whom row security applies. Being
 * VOLATILE, each of its statements sees what was committed before that statement. It waits for a
 * lock for 10 s at most, and plans each statement once for all users.
 */
export const ATTRIBUTES = `
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET lock_timeout = '10s'`;
