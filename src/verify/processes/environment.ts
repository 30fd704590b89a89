const NEEDED = ["PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP"];

/** The environment of another process: none of the user's keys and settings. */
export const bareEnvironment = (): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => NEEDED.includes(name.toUpperCase())),
  );
