/** What clients of corosync's services are written against. */
export { ServiceClient, NO_DAEMON, peekCall, type Connection } from "./client.ts";
export { INITIALIZE, type Answer, type CallMap, type CsError, type NoticeMap, type Refused } from "./calls.ts";
export { CFG, type CfgCalls, type ConfiguredNode } from "./cfg.ts";
export { CMAP, type CmapCalls, type CmapNotices } from "./cmap.ts";
export { CPG, type CpgCalls, type CpgNotices } from "./cpg.ts";
export { QUORUM, type QuorumCalls, type QuorumNotices, type Verdict } from "./quorum.ts";
export { VOTEQUORUM, type TrackedNode, type VotequorumCalls, type VotequorumNotices, type VoteView } from "./votequorum.ts";
