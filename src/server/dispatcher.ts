import { AgnoChatError } from "../errors.js";
import type { UserId } from "../ids.js";
import type { Awaitable } from "../memory/memory.js";
import { type AccessOptions, admit } from "./access.js";
import { type Answer, failure } from "./answer.js";
import { failureShapeAt } from "./failure-shape.js";
import type { RequestContext } from "./request-context.js";
import type { Route, Routes } from "./routes.js";
import { TokenGate } from "./token-gate.js";
import type { TrustedProxies } from "./trusted-proxies.js";

export interface DispatcherParts {
  readonly routes: Routes;
  readonly access: AccessOptions;
  readonly proxies: TrustedProxies;
}

/** Lets callers in and answers them by path and method. */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #gate: TokenGate | undefined;

  constructor(parts: DispatcherParts) {
    const { access, proxies } = parts;
    this.#parts = parts;
    this.#gate = access.tokens && new TokenGate(access.tokens, proxies);
  }

  /** Whether there is anything at a path. */
  knows(path: string): boolean {
    return this.#parts.routes.has(path);
  }

  /** @throws {AgnoChatError} or rejects with whatever is to be answered as a failure */
  answer(context: RequestContext): Awaitable<Answer> {
    const route = this.#parts.routes.get(context.path);
    const admitted = route?.open ? undefined : this.#admit(context);
    if (admitted === undefined) return answerAt(route, context);
    return answerOnceIn(admitted, { route, context });
  }

  #admit(context: RequestContext): Promise<UserId> | undefined {
    const { access, proxies } = this.#parts;
    return this.#gate === undefined ? admit(context, access, proxies) : this.#gate.admit(context);
  }
}

async function answerOnceIn(
  admitted: Promise<UserId>,
  { route, context }: { readonly route: Route | undefined; readonly context: RequestContext },
): Promise<Answer> {
  context.caller = await admitted;
  return answerAt(route, context);
}

function answerAt(route: Route | undefined, context: RequestContext): Awaitable<Answer> {
  if (route === undefined)
    throw new AgnoChatError("NOT_FOUND", "There is nothing at this path.", {
      hint: "POST /chat talks to the agent.",
    });
  const { method } = context.head;
  // The answer to HEAD is that to GET; its body is left out where it is sent.
  const name = method === "HEAD" ? "GET" : method;
  // A web-standard request may have any method, such as "constructor".
  const handler = Object.hasOwn(route.methods, name) ? route.methods[name] : undefined;
  return handler === undefined ? notAllowed(context, route) : handler(context);
}

function notAllowed(context: RequestContext, { methods }: Route): Answer {
  const allowed = Object.keys(methods)
    .flatMap((method) => (method === "GET" ? [method, "HEAD"] : method))
    .join(", ");
  const { path, head } = context;
  const error = new AgnoChatError("METHOD_NOT_ALLOWED", `${path} does not allow ${head.method}.`, {
    hint: `Allowed: ${allowed}.`,
  });
  context.fail(error);
  return failure(error, { shape: failureShapeAt(path), headers: { allow: allowed } });
}
