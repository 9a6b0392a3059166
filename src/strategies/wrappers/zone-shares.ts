/**
 * Which part of the clients of one zone should go to the members of each zone, so that as many as possible stay in their zone and
 * no zone gets more than its capacity, given that all zones do the same:
 *
 * - capacity_z: the zone's part of all members' weight; clients_z: its part of all clients.
 * - Where capacity_own ≥ clients_own, all stay. Else the part capacity_own / clients_own stays.
 * - The others go to the zones in proportion to what those have left: max(0, capacity_z - clients_z).
 *
 * Source: Envoy, `ZoneAwareLoadBalancerBase::regenerateLocalityRoutingStructures` (`load_balancer_impl.cc`), but in floating point
 * where Envoy counts in hundredths of a percent, and by weight where it counts members.
 *
 * @param capacity the weight of each zone's members
 * @param clients how the clients are spread, in any unit
 * @returns the parts of 1 that are above 0; undefined where zones make no difference: there is only one, or no clients elsewhere
 */
export function zoneShares(
  own: string,
  capacity: ReadonlyMap<string, number>,
  clients: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> | undefined {
  const clientsOf = partsOf(clients);
  const capacityOf = partsOf(capacity);
  if (capacityOf.size < 2 || clientsOf.size < 2) return undefined;
  const ownClients = clientsOf.get(own) ?? 0;
  const ownCapacity = capacityOf.get(own) ?? 0;
  if (ownClients === 0) return undefined;
  if (ownCapacity >= ownClients) return new Map([[own, 1]]);
  const stays = ownCapacity / ownClients;
  const left = new Map<string, number>();
  for (const [zone, part] of capacityOf) {
    if (zone !== own) left.set(zone, Math.max(0, part - (clientsOf.get(zone) ?? 0)));
  }
  const shares = new Map(capacityOf.has(own) ? [[own, stays]] : []);
  for (const [zone, part] of partsOf(left)) shares.set(zone, (1 - stays) * part);
  return shares;
}

/** The parts of 1 that the amounts are, of those that are above 0. */
function partsOf(amounts: ReadonlyMap<string, number>): Map<string, number> {
  let total = 0;
  for (const amount of amounts.values()) total += amount;
  const parts = new Map<string, number>();
  for (const [zone, amount] of amounts) if (amount > 0) parts.set(zone, amount / total);
  return parts;
}
