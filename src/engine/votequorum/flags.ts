/**
 * What votequorum's messages are made of: flags of a nodeinfo, message numbers, node states. In the real stack: the constants of votequorum.c.
 */

/** Flags of a nodeinfo message (NODE_FLAGS_*). */
export const FLAG_QUORATE = 1;
export const FLAG_LEAVING = 2;
export const FLAG_WFA_STATUS = 4;
export const FLAG_FIRST = 8;
export const FLAG_DEVICE_REGISTERED = 16;
export const FLAG_DEVICE_ALIVE = 32;
export const FLAG_DEVICE_CAST_VOTE = 64;
export const FLAG_DEVICE_MASTER_WINS = 128;

export const HANDLER_NODEINFO = 0;
export const HANDLER_RECONFIGURE = 1;
export const HANDLER_DEVICE_REGISTER = 2;
export const HANDLER_DEVICE_RENAME = 3;

/** What a reconfigure message changes. */
export const RECONFIG_EXPECTED_VOTES = 1;
export const RECONFIG_NODE_VOTES = 2;
export const RECONFIG_CANCEL_WFA = 3;

/** The quorum device takes part under this id. */
export const DEVICE_NODE_ID = 0;

export type NodeState = "member" | "dead" | "leaving";
export const STATE_NUMBER: Record<NodeState, number> = { member: 1, dead: 2, leaving: 3 };

/** decode_flags(): the debug line that follows a nodeinfo. */
export function flagsText(flags: number): string {
  const yes = (bit: number): string => ((flags & bit) !== 0 ? "Yes" : "No");
  return (
    `flags: quorate: ${yes(FLAG_QUORATE)} Leaving: ${yes(FLAG_LEAVING)} WFA Status: ${yes(FLAG_WFA_STATUS)} First: ${yes(FLAG_FIRST)} ` +
    `Qdevice: ${yes(FLAG_DEVICE_REGISTERED)} QdeviceAlive: ${yes(FLAG_DEVICE_ALIVE)} ` +
    `QdeviceCastVote: ${yes(FLAG_DEVICE_CAST_VOTE)} QdeviceMasterWins: ${yes(FLAG_DEVICE_MASTER_WINS)}`
  );
}
