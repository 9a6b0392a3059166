import { Balancer } from '../core/balancer.ts';
import type { VirtualIP } from '../core/virtual-ip.ts';
import { BalancerListener } from './balancer-listener.ts';
import { Listener } from './listener.ts';

/**
 * Opens a real listener for a virtual IP, or one for every virtual IP of a balancer, and runs the pools' health monitors.
 * Resolves when clients can connect. Rejects with an `EvenkeelError` whose `code` is `'ERR_EVENKEEL_LISTEN'` where an address
 * cannot be bound; nothing is left open then.
 */
export function listen<T>(vip: VirtualIP<T>): Promise<Listener<T>>;
export function listen<T>(balancer: Balancer<T>): Promise<BalancerListener<T>>;
export function listen<T>(target: VirtualIP<T> | Balancer<T>): Promise<Listener<T> | BalancerListener<T>> {
  return target instanceof Balancer ? BalancerListener.open(target) : Listener.open(target);
}
