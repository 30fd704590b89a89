export type { AccessOptions } from "./access.js";
export {
  ChatServer,
  createServer,
  type ListenOptions,
  type ServerOptions,
  type Timeouts,
} from "./server.js";
