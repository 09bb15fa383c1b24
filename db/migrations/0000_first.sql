CREATE TABLE "alerts" (
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"fingerprint" text NOT NULL,
	"source" text NOT NULL,
	"state" text NOT NULL,
	"title" text NOT NULL,
	"labels" jsonb NOT NULL,
	"starts_at" timestamp with time zone,
	"times" integer DEFAULT 1 NOT NULL,
	"first_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "alerts_incident_id_fingerprint_pk" PRIMARY KEY("incident_id","fingerprint")
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"workspace_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"entry" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "audit_workspace_id_seq_pk" PRIMARY KEY("workspace_id","seq")
);
--> statement-breakpoint
CREATE TABLE "decisions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"gate_id" uuid,
	"verdict" text NOT NULL,
	"digest" text,
	"person" text NOT NULL,
	"role" text NOT NULL,
	"reason" text,
	"signature" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "decisions_gate_unless_cancel" CHECK ("decisions"."gate_id" is not null or "decisions"."verdict" in ('cancel', 'rollBack'))
);
--> statement-breakpoint
CREATE TABLE "executions" (
	"key" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"grant_id" uuid NOT NULL,
	"claim_id" uuid NOT NULL,
	"digest" text NOT NULL,
	"step_id" text NOT NULL,
	"state" text NOT NULL,
	"snapshot" text,
	"snapshot_kept_until" timestamp with time zone,
	"handle" text,
	"result" text,
	"claimed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "executions_grant_step" UNIQUE("grant_id","step_id","kind")
);
--> statement-breakpoint
CREATE TABLE "gates" (
	"id" uuid PRIMARY KEY NOT NULL,
	"incident_id" uuid NOT NULL,
	"workspace_id" text NOT NULL,
	"kind" text NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"digest" text,
	"plan_version" integer,
	"offers_rollback" boolean DEFAULT false NOT NULL,
	"approvals_needed" integer NOT NULL,
	"role_needed" text NOT NULL,
	"update_id" uuid NOT NULL,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"settled_at" timestamp with time zone,
	"told_well_at" timestamp with time zone,
	CONSTRAINT "gates_update" UNIQUE("update_id"),
	CONSTRAINT "gates_settled_iff_not_open" CHECK (("gates"."state" = 'open') = ("gates"."settled_at" is null)),
	CONSTRAINT "gates_execution_has_digest" CHECK ("gates"."kind" <> 'execution' or "gates"."digest" is not null)
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"trigger" text NOT NULL,
	"title" text NOT NULL,
	"started_by" text,
	"fingerprint" text NOT NULL,
	"labels" jsonb NOT NULL,
	"targets" jsonb,
	"severity_threshold" text NOT NULL,
	"phase" text DEFAULT 'DETECTION' NOT NULL,
	"status" text DEFAULT 'IN_PROGRESS' NOT NULL,
	"outcome" text,
	"severity" text,
	"score" double precision,
	"root_cause" jsonb,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "incidents_outcome_iff_closed" CHECK (("incidents"."phase" = 'CLOSED') = ("incidents"."outcome" is not null) and ("incidents"."outcome" is null) = ("incidents"."closed_at" is null))
);
--> statement-breakpoint
CREATE TABLE "kill_switches" (
	"workspace_id" text PRIMARY KEY NOT NULL,
	"is_on" boolean NOT NULL,
	"person" text NOT NULL,
	"reason" text NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "last_known_good" (
	"workspace_id" text NOT NULL,
	"target" text NOT NULL,
	"hash" text NOT NULL,
	"content" text NOT NULL,
	"well_since" timestamp with time zone,
	"well_at" timestamp with time zone NOT NULL,
	"good_at" timestamp with time zone,
	CONSTRAINT "last_known_good_workspace_id_target_hash_pk" PRIMARY KEY("workspace_id","target","hash")
);
--> statement-breakpoint
CREATE TABLE "measurements" (
	"id" uuid PRIMARY KEY NOT NULL,
	"incident_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"plan_version" integer NOT NULL,
	"measured_at" timestamp with time zone NOT NULL,
	"signals" jsonb NOT NULL,
	"facts" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"message" jsonb NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"incident_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"script_id" uuid,
	"category" text NOT NULL,
	"digest" text NOT NULL,
	"canonical" text NOT NULL,
	"confidence" jsonb NOT NULL,
	"rehearsal" jsonb NOT NULL,
	"verified_well" boolean,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "plans_incident_id_version_pk" PRIMARY KEY("incident_id","version"),
	CONSTRAINT "plans_digest" UNIQUE("incident_id","digest")
);
--> statement-breakpoint
CREATE TABLE "scripts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"name" text NOT NULL,
	"description" text NOT NULL,
	"type" text NOT NULL,
	"command" text NOT NULL,
	"parameters" jsonb NOT NULL,
	"category" text NOT NULL,
	"risk" text NOT NULL,
	"estimated_duration_ms" integer NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "scripts_name" UNIQUE("workspace_id","name")
);
--> statement-breakpoint
CREATE TABLE "tail" (
	"incident_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"key" text NOT NULL,
	"event" text NOT NULL,
	"body" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tail_incident_id_seq_pk" PRIMARY KEY("incident_id","seq"),
	CONSTRAINT "tail_key" UNIQUE("incident_id","key"),
	CONSTRAINT "tail_id" UNIQUE("id")
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"person" text NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "audit_grants" ON "audit" USING btree (substring("entry" from '"grant":"([^"]*)"'));--> statement-breakpoint
CREATE INDEX "audit_keys" ON "audit" USING btree (substring("entry" from '"key":"([^"]*)"'));--> statement-breakpoint
CREATE UNIQUE INDEX "decisions_one_approval_each" ON "decisions" USING btree ("gate_id","person") WHERE "decisions"."verdict" = 'approve';--> statement-breakpoint
CREATE INDEX "decisions_by_incident" ON "decisions" USING btree ("incident_id");--> statement-breakpoint
CREATE INDEX "executions_by_incident" ON "executions" USING btree ("incident_id");--> statement-breakpoint
CREATE UNIQUE INDEX "gates_one_open" ON "gates" USING btree ("incident_id") WHERE "gates"."state" = 'open';--> statement-breakpoint
CREATE UNIQUE INDEX "incidents_open_fingerprint" ON "incidents" USING btree ("workspace_id","fingerprint") WHERE "incidents"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "incidents_page" ON "incidents" USING btree ("workspace_id","opened_at","id");--> statement-breakpoint
CREATE INDEX "measurements_by_incident" ON "measurements" USING btree ("incident_id","measured_at");--> statement-breakpoint
CREATE INDEX "outbox_waiting" ON "outbox" USING btree ("due_at") WHERE "outbox"."delivered_at" is null;