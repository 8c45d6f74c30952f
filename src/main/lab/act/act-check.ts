/** What is wrong with an acting line, while it is still being typed. Nothing is done. */
import type { World } from "../../../engine/world/world.ts";
import { placesOf } from "./acting-lab.ts";
import { parseActing } from "./acting.ts";
import { impossible } from "../view/conditions.ts";
import { planOf } from "./act-plan.ts";
import { Trouble } from "../trouble.ts";

/** In one line; null: it could be done now. */
export function wrongWith(line: string, world: World): string | null {
  try {
    const acting = parseActing(line, placesOf(world.design));
    planOf(acting, world.design);
    return impossible(acting, world) ?? null;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    return error.message;
  }
}
