import HashRing from 'hashring';
import { P2cBalancer, RandomBalancer } from 'load-balancers';
import loadbalance from 'loadbalance';
import { nanosecondsPerStep } from '../apart/clock.mjs';
import { clientAddresses, clientCount, memberAddresses, memberWeights } from './fixtures.mjs';

/** The packages that evenkeel's strategies are compared with: how each is made, and what one pick is. None has a release. */
const peers = {
  'loadbalance RoundRobinEngine': (members) => picker(new loadbalance.RoundRobinEngine(members)),
  'loadbalance WeightedRoundRobinEngine': (members) =>
    picker(new loadbalance.WeightedRoundRobinEngine(weighted(members))),
  'loadbalance RandomEngine': (members) => picker(new loadbalance.RandomEngine(members)),
  'loadbalance WeightedRandomEngine': (members) => picker(new loadbalance.WeightedRandomEngine(weighted(members))),
  'load-balancers RandomBalancer': (members) => picker(new RandomBalancer(members.length)),
  'load-balancers P2cBalancer': (members) => picker(new P2cBalancer(members.length)),
  'hashring HashRing': (members) => lookUp(new HashRing(members)),
  // Its cache of answers helps a key that comes again soon, and costs all others.
  'hashring HashRing, without its cache': (members) => lookUp(new HashRing(members, 'md5', { 'max cache size': 1 })),
};

export function measure({ peer, members, rounds, milliseconds }) {
  const addresses = memberAddresses(members);
  // These packages have no change of one member that they would prepare for: they are made anew.
  const start = performance.now();
  const loop = peers[peer](addresses);
  const prepare = performance.now() - start;
  return { pick: nanosecondsPerStep(loop, { rounds, milliseconds }), prepare };
}

function weighted(members) {
  const weights = memberWeights(members.length, true);
  return members.map((object, n) => ({ object, weight: weights[n] }));
}

/** What the picks amount to is kept, so that none can be left out as useless. */
export let kept;

function picker(engine) {
  return (steps) => {
    for (let n = 0; n < steps; n++) kept = engine.pick();
  };
}

function lookUp(ring) {
  const clients = clientAddresses();
  let client = 0;
  return (steps) => {
    for (let n = 0; n < steps; n++) {
      kept = ring.get(clients[client]);
      client = (client + 1) & (clientCount - 1);
    }
  };
}
