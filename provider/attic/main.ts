import { serve } from "../protocol/server.ts";
import { atticProvider } from "./provider.ts";

serve(atticProvider());
