import { Slots } from '../../health/slots.ts';

/**
 * The checks that this process makes at a time, of all its pools together, so that a thousand pools which are started together are
 * no storm, neither of sockets here nor of connections to members that they share.
 */
export const checkSlots: Slots = new Slots(256);
