/**
 * Why the operating system refused, such as "permission denied (EACCES)": the code alone if the
 * system has no text for it, undefined for anything that is not a system error.
 */
export function systemReason(thrown: unknown): string | undefined {
  const { code, errno } = fieldsOf(thrown);
  if (typeof code !== "string" || typeof errno !== "number") return undefined;
  // Here, because most programs need no reason, and to import it evaluates all that is next to it.
  const { getSystemErrorMap } = process.getBuiltinModule("node:util");
  const words = getSystemErrorMap().get(errno)?.[1];
  return words === undefined ? code : `${words} (${code})`;
}

interface SystemFields {
  readonly code?: unknown;
  readonly errno?: unknown;
}

/** Never throws, since anything can be thrown, even a revoked proxy. */
function fieldsOf(thrown: unknown): SystemFields {
  try {
    const { code, errno } = Object(thrown) as SystemFields;
    return { code, errno };
  } catch {
    return {};
  }
}
