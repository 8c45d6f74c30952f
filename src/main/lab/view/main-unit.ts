/** The unit that a machine of its kind is about: the first one of its status. Units are named there and nowhere else. */
export function mainUnit<State>(units: { readonly [unit: string]: State }): { readonly name: string; readonly state: State } | undefined {
  const [first] = Object.entries(units);
  return first === undefined ? undefined : { name: first[0], state: first[1] };
}
