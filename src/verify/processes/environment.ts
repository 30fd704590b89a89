/** A database driver looks for passwords and certificates in the home folder. */
const NEEDED = /^(PATH|SYSTEMROOT|TMPDIR|TEMP|TMP|HOME|USERPROFILE|APPDATA|PG[A-Z]+)$/i;

/** The environment of another process: what a store needs, without the user's other keys. */
export const bareEnvironment = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => NEEDED.test(name)));
