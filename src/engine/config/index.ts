/** The configuration layer's public face. */
export type { Conf, ConfEntry, ConfError, ConfKey, ConfSection } from "./ast.ts";
export { CONF_PATH, EXIT_ABORT, EXIT_LOGGING, EXIT_MAIN_CONFIG, EXIT_SERVICES } from "./ast.ts";
export type * from "./daemon.ts";
export type { Ip } from "./ip.ts";
export { formatIp, networkOf, parseIp } from "./ip.ts";
export type { ConfKeyValue } from "./keys.ts";
export { confKeys } from "./keys.ts";
export type { ParseOutcome } from "./parse.ts";
export { parseConf, parserMessage } from "./parse.ts";
export { printConf } from "./print.ts";
export type { EffectiveTotem, PingTimers } from "./timers.ts";
export { effectiveTotem, nodeCount, pingTimers } from "./timers.ts";
export type { ConfValue, ConfValues, ValueType } from "./values.ts";
export { numberOf, stringOf } from "./values.ts";
export { KEYFILE_DEFAULT, verifyConf } from "./verify.ts";
export type { PveConf, PveLink, PveNode } from "./write.ts";
export { writePveConf } from "./write.ts";
