"""What `cfn-lint` and `sam validate` do not ask of template.yaml: who may do what, and what is public."""

import re
import unittest
from pathlib import Path

import boto3
from cfnlint.decode.cfn_yaml import load
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTION = {"Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}

# Everything that anything may do: what is not listed here must not be in the template.
ALLOWED = [
    ("lambda.amazonaws.com", "sts:AssumeRole", None, None),
    (None, ["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": ["LookAlikesLog", "Arn"]}, None),
    (None, ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*", None),
    (None, "s3:GetObject", {"Fn::Sub": "${SnapshotBucket.Arn}/${GalleryPrefix}/*"}, None),
    (None, "s3:ListBucket", {"Fn::GetAtt": ["SnapshotBucket", "Arn"]},
     {"StringLike": {"s3:prefix": {"Fn::Sub": "${GalleryPrefix}/*"}}}),
    ("cloudfront.amazonaws.com", "s3:GetObject", {"Fn::Sub": "${SiteBucket.Arn}/*"},
     {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}}),
]


def template():
    """The template as CloudFormation gets it: SAM's shorthand written out."""
    written = load(str(ROOT / "template.yaml"))
    # The package is not built yet; SAM wants to hear where it will be.
    written["Resources"]["LookAlikes"]["Properties"]["CodeUri"] = "s3://bucket/key"
    session = boto3.Session(region_name="eu-central-1")
    return Translator({}, Parser(), boto_session=session).translate(written, {})


def plain(value):
    """Without the line numbers that cfn-lint's reader keeps in its own types."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class Template(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.resources = plain(template())["Resources"]

    def all(self, kind):
        """The resources of a kind by name; there are some."""
        found = {name: it["Properties"] for name, it in self.resources.items() if it["Type"] == kind}
        self.assertTrue(found, kind)
        return found

    def statements(self):
        for role in self.all("AWS::IAM::Role").values():
            yield from role["AssumeRolePolicyDocument"]["Statement"]
            for policy in role["Policies"]:
                yield from policy["PolicyDocument"]["Statement"]
        for policy in self.all("AWS::S3::BucketPolicy").values():
            yield from policy["PolicyDocument"]["Statement"]

    def test_nothing_may_do_more_than_is_listed(self):
        allowed = [
            (it.get("Principal", {}).get("Service"), it["Action"], it.get("Resource"), it.get("Condition"))
            for it in self.statements() if it["Effect"] == "Allow"
        ]
        self.assertCountEqual(allowed, ALLOWED)

    def test_there_are_no_other_ways_to_get_rights(self):
        self.assertEqual(list(self.all("AWS::IAM::Role")), ["LookAlikesRole"])
        role = self.resources["LookAlikesRole"]["Properties"]
        self.assertFalse({"ManagedPolicyArns", "RoleName"} & set(role))
        kinds = {it["Type"] for it in self.resources.values()}
        self.assertFalse({kind for kind in kinds if kind.startswith("AWS::IAM::")} - {"AWS::IAM::Role"})
        function = self.resources["LookAlikes"]["Properties"]
        self.assertEqual(function["Role"], {"Fn::GetAtt": ["LookAlikesRole", "Arn"]})

    def test_only_our_cloudfront_calls_the_function(self):
        self.assertEqual(self.resources["LookAlikesUrl"]["Properties"]["AuthType"], "AWS_IAM")
        permissions = self.all("AWS::Lambda::Permission").values()
        for permission in permissions:
            self.assertEqual(permission["Principal"], "cloudfront.amazonaws.com")
            self.assertEqual(permission["SourceArn"], DISTRIBUTION)
        actions = {it["Action"]: it for it in permissions}
        self.assertEqual(set(actions), {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"})
        self.assertEqual(actions["lambda:InvokeFunctionUrl"]["FunctionUrlAuthType"], "AWS_IAM")
        self.assertTrue(actions["lambda:InvokeFunction"]["InvokedViaFunctionUrl"])

    def test_buckets_are_private_encrypted_and_refuse_plain_http(self):
        policies = {it["Bucket"]["Ref"]: it for it in self.all("AWS::S3::BucketPolicy").values()}
        buckets = self.all("AWS::S3::Bucket")
        self.assertEqual(set(policies), set(buckets))
        for name, bucket in buckets.items():
            self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True}, name)
            self.assertEqual(len(bucket["PublicAccessBlockConfiguration"]), 4, name)
            self.assertIn("BucketEncryption", bucket, name)
            rules = bucket["OwnershipControls"]["Rules"]
            self.assertEqual(rules, [{"ObjectOwnership": "BucketOwnerEnforced"}], name)
            self.assertFalse({"AccessControl", "WebsiteConfiguration"} & set(bucket), name)
            denied = [it for it in policies[name]["PolicyDocument"]["Statement"] if it["Effect"] == "Deny"]
            self.assertEqual(denied, [{
                "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }])

    def test_galleries_outlive_the_stack(self):
        bucket = self.resources["SnapshotBucket"]
        self.assertEqual((bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]), ("Retain", "Retain"))
        self.assertEqual(bucket["Properties"]["VersioningConfiguration"]["Status"], "Enabled")

    def test_every_origin_is_signed_for(self):
        origins = {it["Id"]: it for it in self.distribution()["Origins"]}
        self.assertEqual(set(origins), {"site", "api"})
        kinds = {}
        for name, origin in origins.items():
            access = self.resources[origin["OriginAccessControlId"]["Fn::GetAtt"][0]]["Properties"]
            config = access["OriginAccessControlConfig"]
            self.assertEqual((config["SigningBehavior"], config["SigningProtocol"]), ("always", "sigv4"))
            kinds[name] = config["OriginAccessControlOriginType"]
        self.assertEqual(kinds, {"site": "s3", "api": "lambda"})
        self.assertEqual(origins["api"]["CustomOriginConfig"]["OriginProtocolPolicy"], "https-only")

    def test_paths_go_where_they_belong(self):
        behaviours = self.distribution()["CacheBehaviors"]
        self.assertEqual({it["PathPattern"]: it["TargetOriginId"] for it in behaviours},
                         {"/api/*": "api", "/portraits/*": "api", "/openapi.json": "api",
                          "/source": "api"})
        for behaviour in [*behaviours, self.distribution()["DefaultCacheBehavior"]]:
            self.assertIn(behaviour["ViewerProtocolPolicy"], ("https-only", "redirect-to-https"))
            self.assertEqual(behaviour["ResponseHeadersPolicyId"], {"Ref": "SecurityHeaders"})
            posts = behaviour.get("PathPattern") == "/api/*"
            self.assertEqual("POST" in behaviour["AllowedMethods"], posts)
            # Photos and what they look like are never kept (AWS: CachingDisabled).
            disabled = behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
            self.assertEqual(disabled, posts)
        # The function's address must see its own name, not ours (AWS: AllViewerExceptHostHeader).
        self.assertEqual(behaviours[0]["OriginRequestPolicyId"], "b689b0a8-53d0-40ab-baf2-68738e2966ac")

    def distribution(self):
        return self.resources["Distribution"]["Properties"]["DistributionConfig"]

    def test_the_function_is_bounded_logged_and_traced(self):
        function = self.resources["LookAlikes"]["Properties"]
        self.assertEqual(function["Runtime"], "provided.al2023")
        self.assertEqual(function["ReservedConcurrentExecutions"], {"Ref": "ReservedConcurrency"})
        self.assertEqual(function["TracingConfig"], {"Mode": "Active"})
        self.assertEqual(function["LoggingConfig"], {"LogGroup": {"Ref": "LookAlikesLog"}})
        log = self.resources["LookAlikesLog"]["Properties"]
        self.assertEqual(log["RetentionInDays"], {"Ref": "LogRetentionDays"})
        patience = self.distribution()["Origins"][1]["CustomOriginConfig"]["OriginReadTimeout"]
        self.assertLessEqual(function["Timeout"], patience)
        self.assertLessEqual(patience, 60)
        # A snapshot and its successor lie in /tmp side by side.
        self.assertGreaterEqual(function["EphemeralStorage"]["Size"], 1024)

    def test_the_function_is_told_what_the_program_asks_for(self):
        variables = dict(self.resources["LookAlikes"]["Properties"]["Environment"]["Variables"])
        self.assertEqual(variables["MODELS_DIR"], "/var/task/assets")
        bucket = {"Fn::Sub": "s3://${SnapshotBucket}/${GalleryPrefix}"}
        self.assertEqual(variables["STORE"], {"Fn::If": ["GalleryInBucket", bucket, "/var/task/gallery"]})
        settings = (ROOT / "lambda/src/settings.rs").read_text()
        for name in variables:
            self.assertRegex(settings, rf"\bpub {name.lower()}:")

    def test_cloudfront_sends_the_headers_that_the_program_sends(self):
        program = (ROOT / "lambda/src/headers.rs").read_text()
        policy = re.search(r'CONTENT_SECURITY_POLICY: &str = "(.*?)";', program, re.S)[1]
        policy = re.sub(r"\\\n\s*", "", policy)
        sent = self.resources["SecurityHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
        sent = sent["SecurityHeadersConfig"]
        self.assertEqual(sent["ContentSecurityPolicy"]["ContentSecurityPolicy"], policy)
        self.assertIn('(header::X_CONTENT_TYPE_OPTIONS, "nosniff")', program)
        self.assertIn("ContentTypeOptions", sent)
        referrer = sent["ReferrerPolicy"]["ReferrerPolicy"]
        self.assertIn(f'(header::REFERRER_POLICY, "{referrer}")', program)
        for header in sent.values():
            self.assertTrue(header["Override"])

    def test_the_makefile_builds_the_function(self):
        metadata = self.resources["LookAlikes"].get("Metadata", {})
        self.assertEqual(metadata.get("BuildMethod"), "makefile")
        self.assertIn("\nbuild-LookAlikes:\n", (ROOT / "deploy/Makefile").read_text())


if __name__ == "__main__":
    unittest.main()
