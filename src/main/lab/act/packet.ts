/** `packet drop SOURCE TARGET NET NUMBER`: one packet that is under way is lost. The number is the sender's own count, as the list of what comes next has it. Nothing takes it back. */
import { usage } from "../trouble.ts";
import { knownMachine, networkOf, planned, type ActKind } from "./kind.ts";

export const packet: ActKind = {
  head: "packet",
  usage: "drop SOURCE TARGET NET NUMBER",
  read(args, scene) {
    const [verb, source, target, net, number, ...more] = args;
    if (verb !== "drop" || source === undefined || target === undefined || net === undefined || number === undefined || more.length > 0)
      throw usage(`packet: ${this.usage}`);
    knownMachine(source, scene);
    knownMachine(target, scene);
    networkOf(source, net, scene);
    if (!/^\d{1,15}$/.test(number)) throw usage(`packet drop: number ${JSON.stringify(number)}: a whole number from 0 is allowed`);
    const sequence = Number(number);
    return planned(
      [{ to: "packet", act: { kind: "packet-drop", source, target, net, sequence } }],
      `packet ${sequence} of ${source} to ${target} dropped`,
    );
  },
  line(act) {
    if (act.to !== "packet") return undefined;
    const { source, target, net, sequence } = act.act;
    return `packet drop ${source} ${target} ${net} ${sequence}`;
  },
};
