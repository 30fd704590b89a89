// The example's own test, as its reader would run it.
import "../../examples/express-chat.test.mjs";
