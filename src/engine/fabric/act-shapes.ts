/**
 * The exact shapes of acts on the fabric, for checking them where they come from outside. They follow schema.ts. In the real world this is knowing a cable from a hammer. Left out:
 * whether machines and networks are there and settings within their bounds, which faults.ts says.
 */
import { isCount, isFlag, isNumber, isText, isWithin, listOf, oneOf, shape, shapeOf, variants, type Check } from "../kernel/check.ts";
import type { FabricAct, FabricNetwork, FaultState, LinkSettings, LinkTarget } from "./schema.ts";

const kind = isText;
const direction = oneOf("in", "out");

const isLink = shapeOf<LinkTarget>({ node: isText, direction: oneOf("in", "out", "both") }, { net: isText, to: isText });

const settings: Readonly<Record<keyof LinkSettings, Check>> = {
  delayUs: isCount,
  jitterUs: isCount,
  lossPercent: isNumber,
  dupPercent: isNumber,
  reorderPercent: isNumber,
  rateMbit: isNumber,
  mtuBytes: isCount,
};
const isSettings = shape({}, settings);

const isBlock = shape({ node: isText, port: isWithin(0, 65_535), proto: oneOf("udp", "tcp") });
const isGroups = listOf(listOf(isText));

const isFaults = shapeOf<FaultState>({
  cables: listOf(shape({ node: isText, net: isText, direction, cut: isFlag, settings: isSettings })),
  pairs: listOf(shape({ net: isText, from: isText, to: isText, cut: isFlag, settings: isSettings })),
  switchesOff: listOf(isText),
  groups: isGroups,
  blocks: listOf(isBlock),
});

const acts: { readonly [K in FabricAct["kind"]]: Check } = {
  "link-cut": shape({ kind, link: isLink }),
  "link-heal": shape({ kind, link: isLink }),
  "link-set": shape({ kind, link: isLink, settings: isSettings }),
  partition: shape({ kind, groups: isGroups }),
  switch: shape({ kind, net: isText, on: isFlag }),
  block: shape({ kind, block: isBlock, on: isFlag }),
  heal: shape({ kind }),
  faults: shape({ kind, state: isFaults }),
};

export const isFabricAct: Check = variants("kind", acts);

export const isFabricNetwork: Check = shapeOf<FabricNetwork>({ name: isText, cidr: isText });
