// Plays MinIO's client as far as the Job that makes a bucket uses it: `make-bucket.ts BUCKET`, with the store's
// address, access key and secret key in the variable STORE, as the client has them. A bucket that is there is as good.
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

const [bucket = ""] = process.argv.slice(2);
const { protocol, host, username, password } = new URL(process.env.STORE ?? "");
const client = new S3Client({
  endpoint: `${protocol}//${host}`,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: {
    accessKeyId: decodeURIComponent(username),
    secretAccessKey: decodeURIComponent(password),
  },
});
try {
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  console.log(`The bucket ${bucket} is made.`);
} catch (error) {
  const name = error instanceof Error ? error.name : "";
  if (!["BucketAlreadyOwnedByYou", "BucketAlreadyExists"].includes(name)) {
    console.error(
      `The bucket ${bucket} cannot be made: ${name} ${error instanceof Error ? error.message : ""}`,
    );
    process.exitCode = 1;
  }
}
