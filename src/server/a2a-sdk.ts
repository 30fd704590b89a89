export type A2aSdk = Awaited<ReturnType<typeof loadSdk>>;
export type A2aRequestHandler = ConstructorParameters<A2aSdk["JsonRpcTransportHandler"]>[0];

let loading: ReturnType<typeof load> | undefined;

/** The official A2A SDK, loaded at the first A2A request. */
export function loadSdk() {
  loading ??= load();
  return loading;
}

async function load() {
  const [types, server, errors, legacy] = await Promise.all([
    import("@a2a-js/sdk"),
    import("@a2a-js/sdk/server"),
    import("@a2a-js/sdk/errors"),
    import("@a2a-js/sdk/compat/v0_3/server"),
  ]);
  const { Role, TaskState, formatSSEEvent } = types;
  const { JsonRpcTransportHandler, ServerCallContext } = server;
  const { LegacyJsonRpcTransportHandler } = legacy;
  return {
    ...errors,
    Role,
    TaskState,
    formatSSEEvent,
    ServerCallContext,
    JsonRpcTransportHandler,
    LegacyJsonRpcTransportHandler,
  };
}
