export type { AccessOptions } from "./access.js";
export { type JwtAlgorithm, type JwtOptions, jwtAuthentication } from "./jwt-authentication.js";
export type { RequestHead } from "./request-context.js";
export type { RequestRecord } from "./request-log.js";
export { ChatServer, createServer, type ListenOptions } from "./server.js";
export type { ServerOptions, Timeouts } from "./server-options.js";
export type { FetchInfo } from "./web-door.js";
