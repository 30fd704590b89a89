import type { Context } from "../../src/cli/command-context.js";

/**
 * A context that tells which settings and common options are read of it. A copy, as
 * `{ ...values, user }` makes it, reads none.
 */
export function recordingReads(context: Context, read: (name: string) => void): Context {
  const { values, origins } = context.settings;
  const settings = { values: recorded(values, read), origins: recorded(origins, read) };
  return { ...context, settings, options: recorded(context.options, read) };
}

function recorded<Values extends object>(values: Values, read: (name: string) => void): Values {
  let copied: string | symbol | undefined;
  return new Proxy(values, {
    getOwnPropertyDescriptor(target, name) {
      copied = name;
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    get(target, name) {
      if (name !== copied) read(String(name));
      copied = undefined;
      return Reflect.get(target, name);
    },
  });
}
