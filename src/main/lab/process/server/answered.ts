/** What a handler of requests returns where it has answered the client itself. */
export const answered = Symbol("answered");
