// Generated from api/*.yaml by `npm run generate`; do not edit.
/* eslint-disable */

export interface paths {
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The reference as a page to try things on */
        get: operations["getDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file of the reference page */
        get: operations["getDocsFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document, as JSON */
        get: operations["getOpenApiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.yaml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document, as YAML */
        get: operations["getOpenApiYaml"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/activity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who did what, newest first */
        get: operations["listActivity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/folders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Folders of the server, to choose library folders from */
        get: operations["listFolders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a node has logged lately, newest first
         * @description Each node keeps its latest lines in memory, warnings and errors longer than the rest, without secrets. Any node answers for any other member.
         */
        get: operations["listLogLines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/machine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the machine of the node that answers has and lacks, and how to mend it */
        get: operations["getMachine"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the search engines are doing */
        get: operations["getSearchStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/search/rebuild": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fills the search index anew
         * @description The old index answers until the new one is complete.
         */
        post: operations["rebuildSearch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/apikeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's API keys, newest first; at most 25 */
        get: operations["listApiKeys"];
        put?: never;
        /** Create an API key; the answer is the only place its secret is ever shown */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/apikeys/{apiKeyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete an API key; it stops working at once */
        delete: operations["deleteApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a user name and a password
         * @description After repeated failures attempts are slowed down, not locked: `429` with `Retry-After`.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End this session */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End all sessions of the caller, this one included */
        post: operations["logoutAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change the caller's password; ends the caller's other sessions */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a refresh token for new tokens
         * @description A refresh token works once. Repeating a request whose answer was lost is answered with the same successor for 10 seconds, to the same client only; any other second use ends the session (`/problems/token-reused`).
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Does the server still need its first administrator */
        get: operations["getSetup"];
        put?: never;
        /** Make the first administrator with the one-time token printed at start */
        post: operations["completeSetup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/backups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The backups in the folder of backups (setting `backup.dir`), the newest first.
         * @description As the node that is asked sees it: give all nodes the same folder. The newest 1,000 are listed. Of those that are sealed only their names are known.
         */
        get: operations["listBackups"];
        put?: never;
        /** Makes a backup in the folder of backups, as a job. */
        post: operations["makeBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calendar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * When episodes are shown
         * @description Of series that are here, as far as a provider knows; at most 2,000, in the order of their days. Seasons and numbers are the provider's, whatever order was chosen for a series (`episodeOrder`): an episode keeps its entry in calendar programs.
         */
        get: operations["listCalendar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calendar.ics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same for calendar programs (RFC 5545)
         * @description Programs that cannot send `X-API-Key` send an API key as the password of HTTP Basic, with any name: `https://calendar:KEY@host/api/v1/calendar.ics`.
         */
        get: operations["exportCalendar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows the cluster as this node knows it. */
        get: operations["getClusterStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/autopilot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows by what rules members are promoted and removed. */
        get: operations["getClusterAutopilot"];
        /** Sets by what rules members are promoted and removed. */
        put: operations["putClusterAutopilot"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists what happened in the cluster lately, as this node saw it. */
        get: operations["listClusterEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says in short whether the cluster is well. */
        get: operations["getClusterHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/init": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens this node to others.
         * @description Makes what members prove themselves with and listens for them. A node that is open already stays as it is.
         */
        post: operations["initCluster"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the members. */
        get: operations["listClusterMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/members/{memberId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        /** Shows one member. */
        get: operations["getClusterMember"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/members/{memberId}/demote": {
        parameters: {
            query?: {
                /** @description Only tells what would be done. */
                dryRun?: components["parameters"]["DryRun"];
            };
            header?: never;
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes a member's vote; it goes on to follow and to serve. */
        post: operations["demoteClusterMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/members/{memberId}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives a member no new work; it finishes what it has.
         * @description It stays so over its restarts, until that is taken back.
         */
        post: operations["drainClusterMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/members/{memberId}/promote": {
        parameters: {
            query?: {
                /** @description Only tells what would be done. */
                dryRun?: components["parameters"]["DryRun"];
            };
            header?: never;
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lets a member vote. */
        post: operations["promoteClusterMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/members/{memberId}/remove": {
        parameters: {
            query?: {
                /** @description Only tells what would be done. */
                dryRun?: components["parameters"]["DryRun"];
            };
            header?: never;
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Removes a member for good; its id never comes back. */
        post: operations["removeClusterMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/members/{memberId}/undrain": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lets a member take work again. */
        post: operations["undrainClusterMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/snapshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Writes this node's copy of the cluster's state down now. */
        post: operations["snapshotCluster"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the tokens that admit nodes, without their secrets. */
        get: operations["listClusterTokens"];
        put?: never;
        /** Makes a token that admits nodes; its secret is in this answer only. */
        post: operations["createClusterToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/tokens/{tokenId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tokenId: components["parameters"]["ClusterTokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Makes a token worthless; who joined with it stays. */
        delete: operations["revokeClusterToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/tokens/{tokenId}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                tokenId: components["parameters"]["ClusterTokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes a new token of the same kind and limits, and revokes the old one.
         * @description The new one lasts as long, from now on, as the old one did from when it was made, and admits as many as the old one still would have.
         */
        post: operations["rotateClusterToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/cluster/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hands leadership to a member, or to the one that is furthest. */
        post: operations["transferClusterLeadership"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/episodes/{episodeId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                episodeId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /** An episode with its versions, streams and subtitles */
        get: operations["getEpisode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Corrects an episode
         * @description A field that is set is locked: no scan and no provider changes it again, until `lockedFields` is given without it. What is unlocked is again as files and providers tell it.
         */
        patch: operations["updateEpisode"];
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live changes as server-sent events
         * @description A `text/event-stream` (WHATWG HTML, server-sent events) of what changes while one looks:
         *     progress of scans, new and changed items, jobs, and what one may see (`user.changed`: read
         *     all anew, as after a reset). Each event has an `id`, an `event` (its
         *     name) and `data` (JSON: `{ id, index, at, name, payload }`).
         *
         *     All nodes tell the same events in the same order, whichever node they come from. After a
         *     break give the last id as `Last-Event-ID` (browsers do it by themselves) or as `?since=`,
         *     to any node: what happened in between follows, nothing twice. When that is no longer
         *     known, because too much has happened or the node was away for long, an `event: reset`
         *     comes instead: read your lists anew and go on listening. It may come at any time.
         *     An id also comes alone, as a sign of life; ids are opaque.
         *
         *     Who reads at the node that told an event finds what it tells of. To find it at another one
         *     too, send the event's `index` as `X-Revenge-Index`.
         *     The stream ends with the session, and at the latest when the access token does.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{imageId}/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A picture, by the address that items give
         * @description The address itself is the right to see the picture, and of one content for ever: a picture that changes gets another address. It is told to who may see the work, and holds for who has it, also when the work's library is hidden from them later. Never enlarged. WebP where `Accept` names it, AVIF where only that is named, JPEG for whoever takes anything.
         */
        get: operations["getImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{kind}/{itemId}/history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["schemas"]["Id"];
                kind: "movie" | "series" | "season" | "episode";
            };
            cookie?: never;
        };
        /**
         * What changed of a work when, and by whose word
         * @description Its last 50 changes by scans, providers and people, the latest first. That it came is none; long texts are cut.
         */
        get: operations["listItemHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{kind}/{itemId}/images": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        /** All pictures an item has */
        get: operations["listItemImages"];
        put?: never;
        /**
         * Add a picture of one's own, and show it for its type
         * @description At most 16 MiB and 64 million pixels; what the bytes are is seen from them alone. Nobody is ever sent these bytes, only what is made of the picture, without what else the file holds. 413 for one that is larger, 422 for what is no picture, or none that can be decoded whole, 409 once an item has 32 uploads, and 503 while pictures cannot be looked at. Large ones are worked on one by one: 503 with Retry-After when too many wait. One may come as slowly as 240 KiB a minute; 408 for one that does not.
         */
        post: operations["uploadItemImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{kind}/{itemId}/images/{imageId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                imageId: components["schemas"]["Id"];
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a picture that somebody uploaded
         * @description 422 for one that comes from elsewhere, which would come again.
         */
        delete: operations["deleteItemImage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{kind}/{itemId}/images/{imageId}/chosen": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                imageId: components["schemas"]["Id"];
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        get?: never;
        /** Show this picture for its type, whatever else is found */
        put: operations["chooseItemImage"];
        post?: never;
        /** Let the picture of this type be chosen automatically again */
        delete: operations["unchooseItemImage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists jobs, the newest first. */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{jobId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        /** Shows one job. */
        get: operations["getJob"];
        put?: never;
        post?: never;
        /** Forgets a job that is over. */
        delete: operations["deleteJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{jobId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancels a job; one that runs is asked to stop, on whichever node. */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{jobId}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                jobId: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs a job again, or at once when it rests between tries. */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/dead": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists jobs whose last try has failed, the newest first. */
        get: operations["listDeadJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/dead/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives dead jobs their tries again.
         * @description All of them, or those of a queue or kind; 10,000 at most. A job whose key is held by one that waits or runs stays dead.
         */
        post: operations["retryDeadJobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/queues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the queues with their limits and what is in them. */
        get: operations["listJobQueues"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/queues/{queue}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Pauses a queue or changes its limit, on all nodes, at once. */
        patch: operations["updateJobQueue"];
        trace?: never;
    };
    "/api/v1/jobs/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the recurring jobs. */
        get: operations["listJobSchedules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/schedules/{name}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs a recurring job now. */
        post: operations["runJobSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All libraries */
        get: operations["listLibraries"];
        put?: never;
        /**
         * Add a library and scan it
         * @description The folders must be absolute, exist, and lie neither in nor around a folder of another library or the server's own data. The first scan starts at once.
         */
        post: operations["createLibrary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        /** One library, with its numbers */
        get: operations["getLibrary"];
        put?: never;
        post?: never;
        /**
         * Remove a library from the catalogue
         * @description Takes its items, with everybody's progress, out of the catalogue. Media files are never touched.
         */
        delete: operations["deleteLibrary"];
        options?: never;
        head?: never;
        /**
         * Change a library
         * @description When folders change, a scan starts; films that are found again in the new folders keep their ids and everybody's progress. Folders that it has are kept also while they do not answer.
         */
        patch: operations["updateLibrary"];
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/arrivals": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say that a file or folder came, or went
         * @description It is looked at at once, also while a scan runs: a file's folder, a folder with all that is in it. Saying it again changes nothing. A path that cannot be seen yet, as on a network share, is looked for again for some minutes.
         */
        post: operations["announceArrival"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/missing": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        /**
         * What is missing of a library, and until when it is kept
         * @description Files of folders that are there. With the last of its files a work is forgotten, with all that people did and set; until then it is shown as unavailable, and is as before when a file returns.
         */
        get: operations["listMissingFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/missing/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["schemas"]["Id"];
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Keep what is missing of a work for good
         * @description It is not forgotten by itself. What goes missing later needs a word of its own. Refused (409) where nothing counts as missing because its folder is away, in which nothing is forgotten, or was taken out of the library, with which it goes.
         */
        put: operations["keepMissingItem"];
        post?: never;
        /**
         * Forget what is missing of a work now
         * @description Without waiting for the time of grace; of a work of which nothing is left also what people did and set. This cannot be undone.
         */
        delete: operations["forgetMissingItem"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/missing/{itemId}/kept": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["schemas"]["Id"];
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Keep what is missing of a work no longer than usual
         * @description It is forgotten after its time of grace.
         */
        delete: operations["releaseMissingItem"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/problems": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        /**
         * What a library could not take in
         * @description Folders that do not answer, directories and names that could not be read, files that could not be understood, folders that two servers of Radarr or Sonarr have.
         */
        get: operations["listLibraryProblems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks providers about many works of a library anew
         * @description As a job that tells how far it is (`GET /api/v1/jobs/{jobId}`); one at a time of a library. What a person set or locked stays. Works are put off while a provider is away.
         */
        post: operations["refreshLibrary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/scans": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        /** Scans of a library, the latest first */
        get: operations["listLibraryScans"];
        put?: never;
        /**
         * Scan a library
         * @description A library is scanned once at a time; asking again answers with the scan that runs.
         */
        post: operations["startLibraryScan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/libraries/{libraryId}/vanished": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        /**
         * How much of a library is missing, and whether it waits for a person
         * @description What is missing is kept for a time of grace and then forgotten, with what people did. When more than the setting `library.vanish_percent` of a library is missing it is kept for longer: until somebody confirms that it is gone for good. Folders that are away do not count; what is in them is never forgotten.
         */
        get: operations["getVanished"];
        /**
         * Confirm that what is missing now is gone for good
         * @description It is forgotten after its time of grace, not before. What goes missing later needs a word of its own. Refused (409) while a folder of the library is away, as nobody sees what of it is gone.
         */
        put: operations["confirmVanished"];
        post?: never;
        /**
         * Take that confirmation back
         * @description What was not forgotten yet is kept again where it is as much as waits for a person (`isHeld`), and in folders that are away (`awayFolders`).
         */
        delete: operations["keepVanished"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Films, sorted and filtered
         * @description Values of one filter are alternatives, filters are combined. Films without the value that is sorted by come last in either order.
         */
        get: operations["listMovies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/{movieId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /** A film with its versions, streams, people and pictures */
        get: operations["getMovie"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Corrects a film
         * @description A field that is set is locked: no scan and no provider changes it again, until `lockedFields` is given without it.
         */
        patch: operations["updateMovie"];
        trace?: never;
    };
    "/api/v1/movies/{movieId}/match": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Says which record a film is
         * @description For good: no scan and no provider decides it again. The fields that the former record filled are filled by this one; what a person set or locked stays.
         */
        post: operations["matchMovie"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/{movieId}/matches": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /**
         * Which record a film is, and which others it might be
         * @description Without `query` the others that were weighed when it was decided; with it, what all providers find now. Where no provider is configured there are no others, and a `query` is answered 503.
         */
        get: operations["listMovieMatches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/{movieId}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes films one
         * @description The films named become versions of this one and are gone. What people watched, liked and put on their lists is of it now, as is what they set and chose where nobody did so of this one. For good: no scan takes them apart again, but `POST …/split` does. 422 for films of different libraries.
         */
        post: operations["mergeMovies"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/{movieId}/record": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /**
         * What else a provider tells of a film
         * @description Other titles, texts in several languages, trailers, certifications by country.
         */
        get: operations["getMovieRecord"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/{movieId}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks the provider about a film anew
         * @description Without waiting for its time, and past what is cached. `item.updated` tells when something has changed; what a person set or locked stays.
         */
        post: operations["refreshMovie"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/{movieId}/split": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes versions of a film one of their own
         * @description With all parts of what they are parts of; what people did stays with this one. For good: no scan makes them one again, but `POST …/merge` does. The new one is named by its files until a record is found, or chosen (`POST …/match`). 422 where no version would be left.
         */
        post: operations["splitMovie"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/filters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What films can be filtered by, with counts */
        get: operations["getMovieFilters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/movies/genres": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Genres of films, by name */
        get: operations["listMovieGenres"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/nodes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The nodes a client may ask, so that it can go on with another when one is gone */
        get: operations["listNodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people/{personId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                personId: components["parameters"]["PersonId"];
            };
            cookie?: never;
        };
        /**
         * Somebody who takes part in films or series
         * @description 404 also where the caller may see none of the works: series are counted for who holds `series:read`.
         */
        get: operations["getPerson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people/{personId}/works": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                personId: components["parameters"]["PersonId"];
            };
            cookie?: never;
        };
        /**
         * What somebody takes part in, and as what
         * @description Films, and series for who holds `series:read`; the newest first, those of which nobody knows the year last.
         */
        get: operations["listPersonWorks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/playback/addresses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Make all signed addresses of the caller void */
        delete: operations["revokePlaybackAddresses"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/playback/files/{fileId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fileId: components["parameters"]["PlaybackFileId"];
            };
            cookie?: never;
        };
        /** What a file holds */
        get: operations["getPlaybackFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/playback/files/{fileId}/address": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fileId: components["parameters"]["PlaybackFileId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A signed address of the file, for players that cannot send headers
         * @description Opens this one file to whoever has the address, until it expires, the session or API key that asked for it ends, or its user revokes all addresses.
         */
        post: operations["createPlaybackAddress"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/playback/files/{fileId}/content": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fileId: components["parameters"]["PlaybackFileId"];
            };
            cookie?: never;
        };
        /**
         * The file's bytes, as they are
         * @description Byte ranges and preconditions as in RFC 9110; several ranges in one request are answered with the whole file. Proven by a signed address too (`?token=`).
         */
        get: operations["getPlaybackContent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scans/{scanId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                scanId: components["parameters"]["ScanId"];
            };
            cookie?: never;
        };
        /** One scan */
        get: operations["getScan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scans/{scanId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                scanId: components["parameters"]["ScanId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a scan early
         * @description What it has found stays. A scan that has ended already is left as it is.
         */
        post: operations["cancelScan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Finds things of all kinds by title, people, year or identifier
         * @description Forgives mistyped words, accents and missing punctuation. Values of one filter are alternatives, filters are combined. Only kinds the caller may read are looked at.
         */
        get: operations["search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search/suggest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Finds while somebody is typing
         * @description A small answer, meant to be asked for at every key; the last word may be unfinished.
         */
        get: operations["suggest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/seasons/{seasonId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seasonId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /** A season */
        get: operations["getSeason"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Corrects a season
         * @description A field that is set is locked: no scan and no provider changes it again, until `lockedFields` is given without it. What is unlocked is again as files and providers tell it.
         */
        patch: operations["updateSeason"];
        trace?: never;
    };
    "/api/v1/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Series, sorted */
        get: operations["listSeries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /** A series with its seasons */
        get: operations["getSeries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Corrects a series
         * @description A field that is set is locked: no scan and no provider changes it again, until `lockedFields` is given without it.
         */
        patch: operations["updateSeries"];
        trace?: never;
    };
    "/api/v1/series/{seriesId}/episodes": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /** Episodes of a series, in order */
        get: operations["listEpisodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/files": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /**
         * Videos of a series, in the order of their episodes
         * @description Each with the episodes it holds. One whose file is missing is among them: it is of the series until it is forgotten.
         */
        get: operations["listSeriesFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/match": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Says which record a series is
         * @description For good: no scan and no provider decides it again. The fields that the former record filled are filled by this one; what a person set or locked stays.
         */
        post: operations["matchSeries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/matches": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /**
         * Which record a series is, and which others it might be
         * @description Without `query` the others that were weighed when it was decided; with it, what all providers find now. Where no provider is configured there are no others, and a `query` is answered 503.
         */
        get: operations["listSeriesMatches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes series one
         * @description The seasons and episodes of the series named are of this one, an episode that several have is one with the files of all, and they are gone. What people watched, liked and put on their lists is of it now, as is what they set and chose where nobody did so of this one. For good: no scan takes them apart again, but `POST …/split` does. 422 for series of different libraries.
         */
        post: operations["mergeSeries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/missing": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /**
         * Episodes that have been shown and that no file holds
         * @description As far as a provider knows; without specials; at most 2,000.
         */
        get: operations["listMissingEpisodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/record": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        /**
         * What else a provider tells of a series
         * @description Other titles, texts in several languages, trailers, certifications by country.
         */
        get: operations["getSeriesRecord"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks the provider about a series anew
         * @description Without waiting for its time, and past what is cached. `item.updated` tells when something has changed; what a person set or locked stays.
         */
        post: operations["refreshSeries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/{seriesId}/split": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes files of a series one of their own
         * @description Their episodes are of the new one, with what people did with them where no other file holds them. For good: no scan makes them one again, but `POST …/merge` does. The new one is named by its files until a record is found, or chosen (`POST …/match`). 422 where no file would be left.
         */
        post: operations["splitSeries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/filters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What series can be filtered by, with counts */
        get: operations["getSeriesFilters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/series/next-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The episodes to go on with
         * @description Of every series the caller has watched something of the first episode after the one watched last that is there and not watched; the series watched last comes first. Specials are left out.
         */
        get: operations["listNextUp"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's sessions, newest first */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: components["parameters"]["SessionId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of the caller's sessions, at once and on every node */
        delete: operations["revokeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All settings of the server, with their defaults */
        get: operations["listSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/settings/{settingKey}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                settingKey: string;
            };
            cookie?: never;
        };
        /** One setting */
        get: operations["getSetting"];
        /** Set one setting */
        put: operations["putSetting"];
        post?: never;
        /** Return one setting to its default */
        delete: operations["resetSetting"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All users, by name */
        get: operations["listUsers"];
        put?: never;
        /** Create a user */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{userId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        /** One user */
        get: operations["getUser"];
        put?: never;
        post?: never;
        /** Delete a user with sessions, keys and personal data */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /** Change a user; the last enabled administrator stays one */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/api/v1/users/{userId}/password": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        get?: never;
        /** Give a user a new password; ends all of the user's sessions */
        put: operations["resetPassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{userId}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        /** A user's sessions, newest first */
        get: operations["listUserSessions"];
        put?: never;
        post?: never;
        /** End all sessions of a user */
        delete: operations["revokeUserSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{userId}/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: components["parameters"]["SessionId"];
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one session of a user */
        delete: operations["revokeUserSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I, and what may I do */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change the caller's own profile */
        patch: operations["updateMe"];
        trace?: never;
    };
    "/api/v1/users/me/continue-watching": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What I have begun, latest first */
        get: operations["listContinueWatching"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/favourites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** My favourites, latest first */
        get: operations["listFavourites"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/favourites/{kind}/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["ItemKind"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a work a favourite */
        post: operations["addFavourite"];
        /** Takes a work from my favourites */
        delete: operations["removeFavourite"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/progress/{kind}/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["PlayedKind"];
            };
            cookie?: never;
        };
        /** What I have done with a work */
        get: operations["getProgress"];
        /**
         * Reports how far I am
         * @description Reports may come late, twice and in any order: the one whose `at` is latest counts. From 90 % on the work is watched and begins anew.
         */
        put: operations["putProgress"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/watched/{kind}/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["WatchedKind"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Marks a work watched
         * @description Of a season all its episodes, of a series all its episodes but specials (those too when there are no others).
         */
        post: operations["markWatched"];
        /** Marks a work not watched */
        delete: operations["unmarkWatched"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/watchlist": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** My watchlist, latest first */
        get: operations["listWatchlist"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/watchlist/{kind}/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["ItemKind"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Puts a work on my watchlist */
        post: operations["addToWatchlist"];
        /** Takes a work off my watchlist */
        delete: operations["removeFromWatchlist"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/me/watchlist/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** My watchlist as a file */
        get: operations["exportWatchlist"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/radarr": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Webhook for Radarr, to hear at once of films that came or went
         * @description Give Radarr a webhook connection to this address, with an API key in the header `X-Api-Key`. Events that are not about files are answered and change nothing. Where Radarr sees the same folders under other paths, the setting `library.path_mappings` says which; without it, a path is looked for by its end.
         */
        post: operations["receiveRadarrWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/sonarr": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Webhook for Sonarr, to hear at once of episodes that came or went
         * @description As that for Radarr.
         */
        post: operations["receiveSonarrWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/cluster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is there a leader that this node keeps up with
         * @description For people and for monitoring, not for balancers: without a leader a node goes on answering what it can. A node that is alone leads itself.
         */
        get: operations["getClusterReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the process alive */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Can this node take requests */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/startup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Has this node finished starting */
        get: operations["getStartup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/swarm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * May an orchestrator count on this container
         * @description For container health checks, which hide a container from the others' look-ups until they pass, and end it when they fail. So this asks for nothing that needs the others: yes when the node has caught up with its cluster, when it is alone, and in any case 30 s after its start.
         */
        get: operations["getSwarmHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The node's metrics in Prometheus' text format */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everything that can go wrong, by code */
        get: operations["listProblems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a problem means and what to do about it
         * @description The `type` of every problem answer is the address of this page.
         */
        get: operations["getProblem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        ActivityEntry: {
            action: string;
            at: components["schemas"]["Time"];
            /** @description What else is known of it. A `reason` of `backup.failed` is in English, with its `reasonCode` (a FailureCode) and `reasonValues`. */
            details: {
                [key: string]: unknown;
            };
            id: components["schemas"]["Id"];
            ip: string | null;
            resourceId: string | null;
            resourceType: string | null;
            success: boolean;
            userId: string | null;
            /** @description As it was when it happened. */
            username: string | null;
        };
        ActivityPage: components["schemas"]["Page"] & {
            items: components["schemas"]["ActivityEntry"][];
        };
        ApiKey: {
            createdAt: components["schemas"]["Time"];
            /** Format: date-time */
            expiresAt: string | null;
            id: components["schemas"]["Id"];
            /**
             * Format: date-time
             * @description To the minute.
             */
            lastUsedAt: string | null;
            name: string;
            /** @description The first characters of the secret */
            prefix: string;
            scopes: string[];
        };
        ApiKeyPage: components["schemas"]["Page"] & {
            items: components["schemas"]["ApiKey"][];
        };
        ArrWebhook: {
            eventType: string;
        } & {
            [key: string]: unknown;
        };
        ArtworkImage: {
            /** @description BlurHash, 4 × 3 components. */
            blurhash: string;
            format: string;
            height: number;
            id: components["schemas"]["Id"];
            /** @description It is the one shown. */
            isChosen: boolean;
            isChosenByUser: boolean;
            language: string | null;
            /** @enum {string} */
            source: "local" | "embedded" | "frame" | "provider" | "upload";
            type: components["schemas"]["ArtworkType"];
            /** @description Relative to the server; `?width=` may be added. */
            url: string;
            width: number;
        };
        ArtworkImageList: {
            items: components["schemas"]["ArtworkImage"][];
        };
        /** @enum {string} */
        ArtworkType: "poster" | "backdrop" | "logo" | "thumb" | "banner" | "disc";
        Backup: {
            /** @description The version that made it. */
            application: string | null;
            clusterId: string | null;
            /** @description Why its beginning cannot be read, in English. */
            fault: string | null;
            faultCode?: components["schemas"]["FailureCode"];
            faultValues?: components["schemas"]["NoticeValues"];
            /** @description Only a key tells what is in it. */
            isSealed: boolean;
            madeAt: components["schemas"]["Time"];
            name: string;
            rows: number | null;
            /** @description The number of the last migration. */
            schemaVersion: number | null;
            sizeBytes: number;
        };
        BackupList: {
            folder: string;
            items: components["schemas"]["Backup"][];
        };
        Calendar: {
            /** Format: date */
            from: string;
            items: components["schemas"]["CalendarEpisode"][];
            /** Format: date */
            to: string;
        };
        CalendarEpisode: {
            /** @description Counted through all seasons. */
            absolute: number | null;
            /** Format: date */
            airDate: string;
            /** @description Null where no file of it is here. */
            episodeId: components["schemas"]["Id"] | null;
            /** @description A file of it is here. */
            isHeld: boolean;
            /** @description Null where it is told apart by `absolute`, or by its day. */
            number: number | null;
            overview: string | null;
            runtimeMs: number | null;
            season: number;
            seriesId: components["schemas"]["Id"];
            seriesTitle: string;
            title: string | null;
        };
        /** @description `host:port`, the likeliest first. */
        ClusterAddresses: string[];
        /**
         * @example {
         *       "promote": true,
         *       "cleanup": true,
         *       "lastContactMs": 2000,
         *       "maxTrailingEntries": 250,
         *       "stabilizationMs": 10000,
         *       "deadAfterMs": null,
         *       "maxVoters": 5
         *     }
         */
        ClusterAutopilot: {
            /** @description Give a dead member's vote to another, and remove who is dead for long. */
            cleanup: boolean;
            /** @description Dead for so long before it may be removed without a replacement; null - never. */
            deadAfterMs: number | null;
            /** @description No contact for so long - not healthy. */
            lastContactMs: number;
            /** @description More entries behind the leader than this - not healthy. */
            maxTrailingEntries: number;
            /** @description Voters at most; odd. */
            maxVoters: number;
            /** @description Let members vote that are caught up. */
            promote: boolean;
            /** @description Healthy for so long before it is promoted. */
            stabilizationMs: number;
        };
        /**
         * @example {
         *       "isDone": false,
         *       "steps": [
         *         "attic loses its vote and goes on as a learner"
         *       ],
         *       "stepNotices": [
         *         {
         *           "code": "demote",
         *           "values": {
         *             "name": "attic"
         *           },
         *           "text": "attic loses its vote and goes on as a learner"
         *         }
         *       ],
         *       "voters": {
         *         "before": [
         *           "kitchen",
         *           "attic",
         *           "cellar"
         *         ],
         *         "after": [
         *           "kitchen",
         *           "cellar"
         *         ]
         *       },
         *       "failureTolerance": {
         *         "before": 1,
         *         "after": 0
         *       },
         *       "refusal": null,
         *       "refusalNotice": null
         *     }
         */
        ClusterChange: {
            failureTolerance: {
                after: number;
                before: number;
            };
            /** @description False with `dryRun`. */
            isDone: boolean;
            /** @description Why it is refused without `force`; null when it is not. */
            refusal: string | null;
            /** @description The refusal again, for who says it in another language. */
            refusalNotice: components["schemas"]["ClusterRefusal"] | null;
            /** @description The steps again, for who says them in another language. */
            stepNotices: components["schemas"]["ClusterStep"][];
            /** @description What is done, in order, as sentences. */
            steps: string[];
            voters: {
                after: components["schemas"]["ClusterIds"];
                before: components["schemas"]["ClusterIds"];
            };
        };
        /**
         * @description What happened, stable.
         * @enum {string}
         */
        ClusterEventCode: "leads" | "leadsHere" | "noLeader" | "office" | "joined" | "restarted" | "drained" | "undrained" | "left";
        /**
         * @example {
         *       "items": [
         *         {
         *           "at": "2026-01-02T03:04:05.678Z",
         *           "kind": "leader",
         *           "message": "kitchen leads in term 7",
         *           "code": "leads",
         *           "values": {
         *             "name": "kitchen",
         *             "term": 7
         *           }
         *         }
         *       ]
         *     }
         */
        ClusterEventList: {
            items: {
                at: components["schemas"]["Time"];
                code: components["schemas"]["ClusterEventCode"];
                /** @enum {string} */
                kind: "leader" | "office" | "members";
                /** @description In English. */
                message: string;
                values: components["schemas"]["NoticeValues"];
            }[];
        };
        /**
         * @example {
         *       "isHealthy": false,
         *       "failureTolerance": 0,
         *       "leader": "kitchen",
         *       "notes": [
         *         "No automatic fail-over now: 1 of 3 voters away; if another fails, changes wait."
         *       ],
         *       "notices": [
         *         {
         *           "code": "votersAway",
         *           "values": {
         *             "away": 1,
         *             "voters": 3
         *           },
         *           "text": "No automatic fail-over now: 1 of 3 voters away; if another fails, changes wait."
         *         }
         *       ],
         *       "members": [
         *         {
         *           "id": "kitchen",
         *           "name": "kitchen",
         *           "isHealthy": true,
         *           "problem": null,
         *           "problemNotice": null
         *         },
         *         {
         *           "id": "attic",
         *           "name": "attic",
         *           "isHealthy": false,
         *           "problem": "has not answered for 3 minutes",
         *           "problemNotice": {
         *             "code": "silent",
         *             "values": {
         *               "silentMs": 180000
         *             },
         *             "text": "has not answered for 3 minutes"
         *           }
         *         }
         *       ]
         *     }
         */
        ClusterHealth: {
            failureTolerance: number;
            isHealthy: boolean;
            leader: string | null;
            members: {
                id: components["schemas"]["ClusterMemberId"];
                isHealthy: boolean;
                name: string;
                problem: string | null;
                /** @description The problem again, for who says it in another language. */
                problemNotice: components["schemas"]["ClusterProblem"] | null;
            }[];
            notes: components["schemas"]["ClusterNotes"];
            notices: components["schemas"]["ClusterNotices"];
        };
        ClusterIds: components["schemas"]["ClusterMemberId"][];
        /**
         * @example {
         *       "id": "kitchen",
         *       "name": "kitchen",
         *       "kind": "node",
         *       "state": "alive",
         *       "role": "leader",
         *       "isVoter": true,
         *       "isDraining": false,
         *       "isHealthy": true,
         *       "problem": null,
         *       "problemNotice": null,
         *       "work": {
         *         "jobs": 2,
         *         "streams": 1
         *       },
         *       "clockAheadMs": null,
         *       "addresses": {
         *         "raft": [
         *           "192.168.1.10:7000"
         *         ],
         *         "rpc": [
         *           "192.168.1.10:7001"
         *         ],
         *         "api": [
         *           "192.168.1.10:8080"
         *         ]
         *       },
         *       "lastContactMs": null,
         *       "lastIndex": 1041,
         *       "lag": 0,
         *       "version": "0.1.0",
         *       "joinedAt": "2026-01-02T03:04:05.678Z",
         *       "stableSince": "2026-01-02T03:04:07.000Z"
         *     }
         */
        ClusterMember: {
            addresses: {
                api: components["schemas"]["ClusterAddresses"];
                raft: components["schemas"]["ClusterAddresses"];
                rpc: components["schemas"]["ClusterAddresses"];
            };
            /** @description How far its clock is ahead of the leader's; null when that is not known. */
            clockAheadMs: number | null;
            id: components["schemas"]["ClusterMemberId"];
            /** @description No new work. */
            isDraining: boolean;
            isHealthy: boolean;
            isVoter: boolean;
            joinedAt: components["schemas"]["Time"];
            kind: components["schemas"]["ClusterMemberKind"];
            /** @description Entries behind the leader. */
            lag: number | null;
            /** @description Since the leader last heard it; null when it has not yet. */
            lastContactMs: number | null;
            /** @description The last entry of the log it is known to have. */
            lastIndex: number | null;
            /** @description For people; need not be unique. */
            name: string;
            /** @description What is wrong with it; null when nothing is. */
            problem: string | null;
            /** @description The problem again, for who says it in another language. */
            problemNotice: components["schemas"]["ClusterProblem"] | null;
            /** @enum {string} */
            role: "leader" | "follower" | "learner" | "none";
            /**
             * Format: date-time
             * @description Well without a break since then; null when it is not.
             */
            stableSince: string | null;
            /** @enum {string} */
            state: "alive" | "silent" | "joining" | "unknown";
            version: string;
            /** @description What it does now; null when it has not said so lately. */
            work: {
                /** @description That it works off. */
                jobs: number;
                /** @description That it serves. */
                streams: number;
            } | null;
        };
        ClusterMemberId: string;
        /**
         * @description A witness votes, and serves nothing.
         * @enum {string}
         */
        ClusterMemberKind: "node" | "witness";
        ClusterMemberList: {
            items: components["schemas"]["ClusterMember"][];
        };
        /**
         * @description What a note says, stable; `other` has words alone.
         * @enum {string}
         */
        ClusterNoteCode: "leaderOutside" | "witnessLeads" | "removedLeads" | "oneNode" | "twoNodes" | "oneVoter" | "votersAway" | "votersFew" | "voterDead" | "deadLeaving" | "dead" | "cannotGo" | "catchingUp" | "otherTerm" | "beingAdded" | "stranger" | "alone" | "noLeader" | "oldMembers" | "databaseHere" | "databaseElsewhere" | "other";
        /** @description Sentences for the operator, the most important first. */
        ClusterNotes: string[];
        /** @description A sentence for the operator. */
        ClusterNotice: {
            code: components["schemas"]["ClusterNoteCode"];
            /** @description In English. */
            text: string;
            values: components["schemas"]["NoticeValues"];
        };
        /** @description The notes again, for who says them in another language. */
        ClusterNotices: components["schemas"]["ClusterNotice"][];
        /** @description What is wrong with a member. */
        ClusterProblem: {
            code: components["schemas"]["ClusterProblemCode"];
            /** @description In English. */
            text: string;
            values: components["schemas"]["NoticeValues"];
        };
        /**
         * @description What is wrong with a member, stable; `other` has words alone.
         * @enum {string}
         */
        ClusterProblemCode: "unheard" | "silent" | "otherTerm" | "behind" | "absent" | "other";
        /** @description Why members are not changed. */
        ClusterRefusal: {
            code: components["schemas"]["ClusterRefusalCode"];
            /** @description In English. */
            text: string;
            values: components["schemas"]["NoticeValues"];
        };
        /**
         * @description Why it is refused, stable.
         * @enum {string}
         */
        ClusterRefusalCode: "hasDatabase" | "votes" | "votesNot" | "leads" | "unwell" | "onlyVoter" | "tooFew";
        /**
         * @example {
         *       "clusterId": "0196a1c2-7b1e-7c55-9d7e-5a3f0c2b1e40",
         *       "epoch": 1,
         *       "nodeId": "kitchen",
         *       "isOpen": false,
         *       "term": 7,
         *       "leader": "kitchen",
         *       "commit": 1041,
         *       "applied": 1041,
         *       "index": 4294968337,
         *       "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "ageMs": 12,
         *       "featureLevel": 1,
         *       "isHealthy": true,
         *       "failureTolerance": 0,
         *       "members": [],
         *       "notes": [
         *         "1 node: no automatic fail-over; a witness needs two of them."
         *       ],
         *       "notices": [
         *         {
         *           "code": "oneNode",
         *           "values": {},
         *           "text": "1 node: no automatic fail-over; a witness needs two of them."
         *         }
         *       ]
         *     }
         */
        ClusterStatus: {
            /** @description How old what this node knows may be; null when it has heard of no leader yet. */
            ageMs: number | null;
            applied: number;
            /** @description Null until this node has founded or joined a cluster. */
            clusterId: string | null;
            commit: number;
            epoch: number;
            /** @description So many voters may fail, one after the other, and changes still work. */
            failureTolerance: number;
            featureLevel: number;
            /** @description SHA-256 of the state, in hex; equal on all nodes at one index. */
            hash: string;
            /** @description The clock's; compare `X-Revenge-Index`. */
            index: number;
            isHealthy: boolean;
            /** @description False for a node alone that does not listen for others. */
            isOpen: boolean;
            /** @description A member's id. */
            leader: string | null;
            members: components["schemas"]["ClusterMember"][];
            /** @description The node that answers. */
            nodeId: components["schemas"]["ClusterMemberId"];
            notes: components["schemas"]["ClusterNotes"];
            notices: components["schemas"]["ClusterNotices"];
            term: number;
        };
        /** @description What is done when members change. */
        ClusterStep: {
            code: components["schemas"]["ClusterStepCode"];
            /** @description In English. */
            text: string;
            values: components["schemas"]["NoticeValues"];
        };
        /**
         * @description What is done, stable.
         * @enum {string}
         */
        ClusterStepCode: "promote" | "demote" | "returns" | "takeOut" | "forget";
        /**
         * @example {
         *       "id": "mfrggzdf",
         *       "kind": "node",
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "createdBy": "anna",
         *       "expiresAt": "2026-01-02T04:04:05.678Z",
         *       "usesLeft": 1
         *     }
         */
        ClusterToken: {
            createdAt: components["schemas"]["Time"];
            createdBy: string;
            /**
             * Format: date-time
             * @description Null - good until it is revoked.
             */
            expiresAt: string | null;
            id: components["schemas"]["ClusterTokenId"];
            kind: components["schemas"]["ClusterMemberKind"];
            /** @description Nodes it still admits; null for any number. */
            usesLeft: number | null;
        };
        ClusterTokenId: string;
        ClusterTokenList: {
            items: components["schemas"]["ClusterToken"][];
        };
        CreatedApiKey: components["schemas"]["ApiKey"] & {
            /** @description The secret; send it as `X-API-Key`. */
            key: string;
        };
        /**
         * @example {
         *       "id": "mfrggzdf",
         *       "kind": "node",
         *       "createdAt": "2026-01-02T03:04:05.678Z",
         *       "createdBy": "anna",
         *       "expiresAt": "2026-01-02T04:04:05.678Z",
         *       "usesLeft": 1,
         *       "token": "rj1.<fingerprint>.mfrggzdf.<secret>",
         *       "addresses": [
         *         "192.168.1.10:7001"
         *       ]
         *     }
         */
        CreatedClusterToken: components["schemas"]["ClusterToken"] & {
            addresses: components["schemas"]["ClusterAddresses"];
            /** @description The one line that admits; shown this once. */
            token: string;
        };
        DisplayName: string | null;
        Episode: components["schemas"]["EpisodeCard"] & {
            lockedFields: components["schemas"]["LockedFields"];
            /** @description The one after it that can be played, found likewise. */
            next: components["schemas"]["EpisodeCard"] | null;
            overview: string | null;
            /** @description The one before it that can be played; of a special the one before among specials. */
            previous: components["schemas"]["EpisodeCard"] | null;
            sources: components["schemas"]["FieldSources"];
            subtitles: components["schemas"]["ExternalSubtitle"][];
            translated?: components["schemas"]["TranslatedFields"];
            versions: components["schemas"]["MovieVersion"][];
        };
        EpisodeCard: {
            /** @description Its number counted through all seasons. */
            absolute: number | null;
            addedAt: components["schemas"]["Time"];
            /** Format: date */
            airDate: string | null;
            durationMs: number | null;
            id: components["schemas"]["Id"];
            /** @description Its own, and those of its series for the types of which it has none. */
            images: components["schemas"]["ItemImages"];
            isAvailable: boolean;
            /** @description Its number in the season. */
            number: number | null;
            season: number;
            seriesId: components["schemas"]["Id"];
            seriesTitle: string;
            title: string | null;
            userState: components["schemas"]["UserState"];
        };
        EpisodeList: {
            items: components["schemas"]["EpisodeCard"][];
        };
        /**
         * @description As they were shown, as they are on discs, or counted through all seasons.
         * @enum {string}
         */
        EpisodeOrder: "aired" | "dvd" | "absolute";
        EpisodePage: {
            items: components["schemas"]["EpisodeCard"][];
            nextCursor: string | null;
        };
        /** @description Where an episode stands, of episodes only. */
        EpisodePlace: {
            absolute: number | null;
            /** Format: date */
            airDate: string | null;
            number: number | null;
            season: number;
            seriesId: components["schemas"]["Id"];
            seriesTitle: string;
            title: string | null;
        };
        EpisodeUpdate: {
            /** Format: date */
            airDate?: string | null;
            /** @description All fields that are to be locked besides those set by this request: those that nobody has set, as they are shown now. */
            lockedFields?: ("title" | "overview" | "airDate")[];
            overview?: string | null;
            title?: string | null;
        };
        /** @description Ids elsewhere; null takes one away. */
        ExternalIdsUpdate: {
            imdb?: string | null;
            tmdb?: string | null;
            tvdb?: string | null;
        };
        ExternalSubtitle: {
            fileId: components["schemas"]["Id"];
            forFileId?: components["schemas"]["Id"];
            /** @description The file's extension: `srt`, `ass` … */
            format: string;
            isDefault: boolean;
            isForced: boolean;
            isHearingImpaired: boolean;
            language?: string;
            name: string;
            title?: string;
        };
        FacetValue: {
            count: number;
            value: string;
        };
        /**
         * @description Why a job, a backup or a scan failed, of what is to be expected; stable. `other` has words alone.
         * @enum {string}
         */
        FailureCode: "tooLong" | "nodeGone" | "databaseAway" | "databaseBusy" | "noConnection" | "searchAway" | "noAnswer" | "toolMissing" | "diskFull" | "notThere" | "forbidden" | "broken" | "scanCutOff" | "noSuchKind" | "backupUnset" | "backupFolderGone" | "backupNoFolder" | "backupForbidden" | "backupNoRoom" | "backupUnusable" | "backupTaken" | "backupNoKey" | "backupTable" | "backupForeign" | "backupCutOff" | "backupDamaged" | "backupNewer" | "other";
        /** @description Where each field's value comes from: `name`, `nfo`, `user`, a provider. */
        FieldSources: {
            [key: string]: string;
        };
        Folder: {
            name: string;
            path: string;
        };
        FolderList: {
            items: components["schemas"]["Folder"][];
            /** @description Where "up" leads; null when nowhere. */
            parent: string | null;
            /** @description What was listed; null for the starting points. */
            path: string | null;
        };
        Health: {
            checks: {
                [key: string]: {
                    /** Format: date-time */
                    checkedAt?: string;
                    code?: components["schemas"]["HealthCheckCode"];
                    /** @description In English. */
                    detail?: string;
                    durationMs?: number;
                    /** @enum {string} */
                    status: "ok" | "failing" | "off";
                    values?: components["schemas"]["NoticeValues"];
                };
            };
            nodeId?: string;
            /** @enum {string} */
            status: "ok" | "degraded" | "failing";
            version?: string;
        };
        /**
         * @description What the detail says, stable; `other` has words alone.
         * @enum {string}
         */
        HealthCheckCode: "silent" | "embedded" | "deadJobs" | "alone" | "leadsHere" | "leads" | "noLeader" | "tooOld" | "clocks" | "engine" | "engineFilling" | "drained" | "other";
        HeldEpisode: {
            absolute: number | null;
            /** Format: date */
            airDate: string | null;
            id: components["schemas"]["Id"];
            number: number | null;
            season: number;
            title: string | null;
        };
        /**
         * Format: uuid
         * @description UUIDv7.
         */
        Id: string;
        ItemChange: {
            at: components["schemas"]["Time"];
            fields: {
                /** @description Null for none. */
                after: unknown;
                /** @description Null for none. */
                before: unknown;
                /** @description A field; or `merged` (a work became part of this one), `split` (one was taken out of it) or `splitFrom` (it was taken out of one), with the other's title as `after`. */
                name: string;
            }[];
            /** @description `scan` (names, NFO and hint files), `user`, or a provider. */
            source: string;
            /** @description Whose word it was. */
            username: string | null;
        };
        ItemHistory: {
            items: components["schemas"]["ItemChange"][];
        };
        ItemImage: {
            blurhash: string;
            height: number;
            url: string;
            width: number;
        };
        /** @description The chosen picture of each type (`poster`, `backdrop`, `logo` …). */
        ItemImages: {
            [key: string]: components["schemas"]["ItemImage"];
        };
        /** @enum {string} */
        ItemKind: "movie" | "episode" | "series";
        Job: {
            /** @description Tries begun. */
            attempt: number;
            /** @description Tries it has in all. */
            attempts: number;
            cancelRequested: boolean;
            createdAt: components["schemas"]["Time"];
            /** @description The latest failed tries, oldest first. */
            errors: {
                at: components["schemas"]["Time"];
                attempt: number;
                code?: components["schemas"]["FailureCode"];
                /** @description In English. */
                message: string;
                values?: components["schemas"]["NoticeValues"];
            }[];
            /** Format: date-time */
            finishedAt: string | null;
            id: components["schemas"]["Id"];
            /** @description While a job with this name and key waits or runs, no other is added. */
            key: string | null;
            name: string;
            /** @description The node of its latest try. */
            nodeId: string | null;
            payload: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            priority: "high" | "normal" | "low";
            progress: null | {
                done: number;
                note: string | null;
                total: number;
            };
            queue: string;
            runAt: components["schemas"]["Time"];
            /** Format: date-time */
            startedAt: string | null;
            state: components["schemas"]["JobState"];
            timeoutMs: number;
        };
        JobList: components["schemas"]["Page"] & {
            items: components["schemas"]["Job"][];
        };
        JobQueue: {
            dead: number;
            /** @description Per node */
            defaultLimit: number;
            /** @description What an administrator has set; null where the default holds. */
            limit: number | null;
            name: components["schemas"]["JobQueueName"];
            /** @description How long the longest due job has waited. */
            oldestWaitMs: number;
            paused: boolean;
            /** @description On all nodes. */
            running: number;
            scheduled: number;
            thisNode: {
                /** @description In force right now. */
                limit: number;
                running: number;
            };
            waiting: number;
        };
        /** @enum {string} */
        JobQueueName: "playback" | "transcode" | "metadata" | "notification" | "library" | "scrobble" | "maintenance";
        JobSchedule: {
            /** @description Five fields */
            cron: string;
            /** Format: date-time */
            lastDueAt: string | null;
            name: string;
            /** Format: date-time */
            nextDueAt: string | null;
            queue: components["schemas"]["JobQueueName"];
        };
        /**
         * @description Scheduled jobs wait for their time; dead ones have failed their last try.
         * @enum {string}
         */
        JobState: "waiting" | "scheduled" | "running" | "completed" | "cancelled" | "dead";
        /** @description By the first letter of the sort title, in order; `#` for what begins with none. */
        LetterFacet: components["schemas"]["FacetValue"][];
        Library: {
            createdAt: components["schemas"]["Time"];
            id: components["schemas"]["Id"];
            kind: components["schemas"]["LibraryKind"];
            language: string;
            lastScan?: components["schemas"]["LibraryScan"];
            name: string;
            numbers?: components["schemas"]["LibraryNumbers"];
            options: components["schemas"]["LibraryOptions"];
            /** @description Only for those who may change libraries. */
            roots?: components["schemas"]["LibraryRoot"][];
            scanIntervalMinutes: number;
            updatedAt: components["schemas"]["Time"];
        };
        LibraryArrival: {
            /**
             * @description It went; then it is not waited for when it is not there.
             * @default false
             */
            isGone: boolean;
            /** @description Absolute. */
            path: string;
        };
        LibraryArrivals: {
            /** @description What is looked at, as this server has it. */
            accepted: {
                libraryId: components["schemas"]["Id"];
                path: string;
            }[];
            /** @description Paths as they were told that lie in no library's folder. */
            outside: string[];
        };
        LibraryCreate: {
            kind: components["schemas"]["LibraryKind"];
            /** @description BCP 47; the language its texts are wanted in. */
            language?: string;
            name: string;
            options?: components["schemas"]["LibraryOptions"];
            paths: string[];
            scanIntervalMinutes?: number;
        };
        /** @description The libraries whose works the user may see, in lists, by search, on pages, and as files; of others the server answers as if they were not there. Null: all, also those that are made later; an empty list: none. A library that is deleted leaves the list. Administrators see all: what is set of one is kept, and counts once the role is `user`. */
        LibraryIds: components["schemas"]["Id"][] | null;
        /** @enum {string} */
        LibraryKind: "movie" | "series";
        LibraryList: {
            items: components["schemas"]["Library"][];
            nextCursor: string | null;
            total?: number;
        };
        LibraryNumbers: {
            files: number;
            missingFiles: number;
            problems: number;
            /** Format: int64 */
            sizeBytes: number;
        };
        LibraryOptions: {
            /** @description True measures how loud the sound of its files is (a stream's `loudness`), one file after the other when there is nothing else to do: minutes of a core for each film. */
            loudness?: boolean;
            /** @description True keeps NFO files of what is known beside the media (`movie.nfo`, `tvshow.nfo`, one beside each episode), for other programs: the one thing that is ever written there. None that somebody else wrote, or changed, is replaced. */
            writeNfo?: boolean;
        } & {
            [key: string]: unknown;
        };
        LibraryProblem: {
            code: components["schemas"]["LibraryReasonCode"];
            fileId?: components["schemas"]["Id"];
            itemId?: components["schemas"]["Id"];
            /** @description Absolute. */
            path: string;
            /** @description In English. */
            reason: string;
            /** @enum {string} */
            type: "root" | "directory" | "name" | "file" | "claim";
            values: components["schemas"]["NoticeValues"];
        };
        LibraryProblemPage: {
            items: components["schemas"]["LibraryProblem"][];
            nextCursor: string | null;
            total?: number;
        };
        /**
         * @description Why something is not taken in, stable; `other` has words alone.
         * @enum {string}
         */
        LibraryReasonCode: "notThere" | "empty" | "otherDevice" | "noAnswer" | "gone" | "forbidden" | "broken" | "tooMany" | "pathTooLong" | "special" | "brokenLink" | "linkOut" | "linkLoop" | "linkBehind" | "ignoring" | "fileEmpty" | "noStreams" | "playlist" | "notMedia" | "keyframes" | "loudness" | "twoServers" | "other";
        LibraryRefresh: {
            /**
             * @description `unmatched`: works without a record; `failed`: those whose last asking went wrong.
             * @default all
             * @enum {string}
             */
            which: "all" | "unmatched" | "failed";
        };
        LibraryRefreshJob: {
            jobId: components["schemas"]["Id"];
        };
        LibraryRoot: {
            id: components["schemas"]["Id"];
            isAvailable: boolean;
            /** @description A node hears at once of what changes in it; otherwise scans notice it. */
            isWatched: boolean;
            path: string;
            /** @description Why it is not available, in English. */
            reason?: string;
            reasonCode?: components["schemas"]["LibraryReasonCode"];
            reasonValues?: components["schemas"]["NoticeValues"];
            unavailableSince?: components["schemas"]["Time"];
            /** @description Why no node does. */
            unwatchedReason?: string;
        };
        LibraryScan: {
            counters: components["schemas"]["LibraryScanCounters"];
            createdAt: components["schemas"]["Time"];
            /** @description Why it failed, in English. */
            error?: string;
            errorCode?: components["schemas"]["FailureCode"];
            errorValues?: components["schemas"]["NoticeValues"];
            finishedAt?: components["schemas"]["Time"];
            id: components["schemas"]["Id"];
            /** @description Which ignore files (`.ignore`, `.plexignore`, `.ndignore`, `.nomedia` …) leave how many files and folders out, the most first. Only for those who may change libraries. */
            ignoredBy?: {
                entries: number;
                /** @description Absolute. */
                path: string;
            }[];
            libraryId: components["schemas"]["Id"];
            /** @enum {string} */
            mode: "quick" | "full";
            /** @enum {string} */
            phase: "walk" | "identify" | "missing" | "done";
            requestedBy?: components["schemas"]["Id"];
            startedAt?: components["schemas"]["Time"];
            /** @enum {string} */
            state: "queued" | "running" | "completed" | "failed" | "cancelled";
        };
        LibraryScanCounters: {
            /** @description Looked at. */
            directories: number;
            /** @description Of these */
            directoriesRead: number;
            /** @description In the directories read. */
            files: number;
            filesChanged: number;
            filesMissing: number;
            /** @description Moved or renamed; they kept their ids. */
            filesMoved: number;
            filesNew: number;
            /** @description Missing before and there again. */
            filesReturned: number;
            /** @description Files and folders of the library that ignore files leave out, read now or before. */
            ignored: number;
            itemsAdded: number;
            itemsUpdated: number;
            /** @description Names left out: links out of the folder, special files … */
            refused: number;
            rootsUnavailable: number;
            /** @description Directories that could not be read. */
            unreadable: number;
        };
        LibraryScanPage: {
            items: components["schemas"]["LibraryScan"][];
            nextCursor: string | null;
            total?: number;
        };
        LibraryScanStart: {
            /**
             * @description `quick` reads the directories that changed; `full` reads all of them, and so notices files that were rewritten in place, and tries again what failed.
             * @default quick
             * @enum {string}
             */
            mode: "quick" | "full";
        };
        LibraryUpdate: {
            /** @description BCP 47; the language its texts are wanted in. */
            language?: string;
            name?: string;
            options?: components["schemas"]["LibraryOptions"];
            paths?: string[];
            scanIntervalMinutes?: number;
        };
        LibraryVanished: {
            /** @description Folders of it that are away as a whole. What is in them neither counts here nor is forgotten. */
            awayFolders?: string[];
            /** Format: date-time */
            confirmedAt?: string;
            /** @description Missing. */
            files: number;
            /** @description It is kept until somebody confirms it. */
            isHeld: boolean;
            /** @description All files on record, the missing ones included. */
            known: number;
            /**
             * Format: date-time
             * @description When the first unconfirmed file went.
             */
            since?: string;
            /** @description Of these */
            unconfirmed: number;
        };
        /** @description Fields that neither scans nor providers change. */
        LockedFields: string[];
        LoginRequest: {
            /** @description How the session is called in the list of sessions. */
            deviceName?: string;
            password: components["schemas"]["Password"];
            username: components["schemas"]["Username"];
        };
        /** @enum {string} */
        LogLevel: "error" | "warn" | "info" | "debug";
        LogLine: {
            at: components["schemas"]["Time"];
            fields: {
                [key: string]: unknown;
            };
            /** @description Rises with each line of a node */
            id: number;
            level: components["schemas"]["LogLevel"];
            message: string;
            module: string | null;
        };
        /**
         * @example {
         *       "nodeId": "kitchen",
         *       "level": "info",
         *       "modules": [
         *         "http",
         *         "library"
         *       ],
         *       "since": "2026-01-02T03:04:05.678Z",
         *       "dropped": 0,
         *       "items": [
         *         {
         *           "id": 1767323045678,
         *           "at": "2026-01-02T03:04:05.678Z",
         *           "level": "info",
         *           "module": "http",
         *           "message": "request",
         *           "fields": {
         *             "method": "GET",
         *             "route": "/api/v1/movies",
         *             "status": 200
         *           }
         *         }
         *       ],
         *       "nextCursor": null
         *     }
         */
        LogPage: components["schemas"]["Page"] & {
            /** @description Lines that made way for newer ones. */
            dropped: number;
            items: components["schemas"]["LogLine"][];
            /** @description The least severe that this node logs. */
            level: components["schemas"]["LogLevel"];
            /** @description Of which there are lines. */
            modules: string[];
            nodeId: string;
            /**
             * Format: date-time
             * @description Of the oldest line that is kept; null when there is none.
             */
            since: string | null;
        };
        /**
         * @example {
         *       "nodeId": "kitchen",
         *       "findings": [
         *         {
         *           "name": "memory",
         *           "status": "ok",
         *           "detail": "7.6 GB",
         *           "code": "memory",
         *           "values": {
         *             "totalBytes": 8160437862
         *           }
         *         },
         *         {
         *           "name": "ffmpeg",
         *           "status": "failing",
         *           "detail": "ffmpeg was not found",
         *           "mend": "install it (apt install ffmpeg) or say where it is (media.ffmpeg_path)",
         *           "code": "toolMissing",
         *           "values": {
         *             "tool": "ffmpeg"
         *           }
         *         }
         *       ]
         *     }
         */
        Machine: {
            findings: {
                code: components["schemas"]["MachineFindingCode"];
                /** @description In English. */
                detail: string;
                /** @description What to do about it, in English. */
                mend?: string;
                name: string;
                /** @enum {string} */
                status: "ok" | "warning" | "failing";
                values: components["schemas"]["NoticeValues"];
            }[];
            nodeId: string;
        };
        /**
         * @description What was found, stable.
         * @enum {string}
         */
        MachineFindingCode: "node" | "nodeOld" | "memory" | "memoryLow" | "folder" | "folderNew" | "folderUnwritable" | "fileSystem" | "fileSystemRemote" | "fileSystemMemory" | "disk" | "diskLow" | "tool" | "toolOld" | "toolMissing" | "encoders" | "encodersHardware" | "encodersMissing";
        Me: components["schemas"]["User"] & {
            /** @description What this credential may do, sorted. */
            permissions: string[];
        };
        MeChange: {
            displayName?: components["schemas"]["DisplayName"];
            language?: components["schemas"]["ViewerLanguage"];
        };
        MediaChapter: {
            endMs: number;
            startMs: number;
            title?: string;
        };
        MediaFile: {
            bitrate?: number;
            chapters: components["schemas"]["MediaChapter"][];
            container?: string;
            durationMs: number | null;
            id: components["schemas"]["Id"];
            /** @description False while it is missing or its folder is away. */
            isAvailable: boolean;
            name: string;
            /** @description Its place among the parts of the version. */
            part?: number;
            probeError?: string;
            /** @enum {string} */
            probeState: "none" | "due" | "done" | "failed";
            sizeBytes: number;
            streams: components["schemas"]["MediaStream"][];
        };
        /** @description By EBU R 128, of a sound that is not silent, in libraries that ask for it (`options.loudness`). */
        MediaLoudness: {
            /** @description From its beginning to its end. */
            integratedLufs: number;
            /** @description How far its loud and its soft parts lie apart. */
            rangeLu?: number;
            truePeakDbtp?: number;
        };
        /** @description A stream of a file; which properties it has depends on its type. */
        MediaStream: {
            bitDepth?: number;
            bitrate?: number;
            channelLayout?: string;
            channels?: number;
            codec: string;
            /** @description The profile and, after a point, what its base layer is compatible with. */
            dolbyVisionProfile?: string;
            frameRate?: number;
            hdr?: string;
            height?: number;
            index: number;
            interlaced?: boolean;
            isDefault: boolean;
            isForced: boolean;
            isHearingImpaired?: boolean;
            language?: string;
            level?: number;
            loudness?: components["schemas"]["MediaLoudness"];
            pixelFormat?: string;
            profile?: string;
            sampleRate?: number;
            title?: string;
            /** @enum {string} */
            type: "video" | "audio" | "subtitle" | "attachment";
            variableFrameRate?: boolean;
            width?: number;
        };
        MissingEpisode: {
            /** Format: date */
            airDate: string | null;
            number: number;
            overview: string | null;
            season: number;
            title: string | null;
        };
        MissingEpisodes: {
            items: components["schemas"]["MissingEpisode"][];
        };
        MissingFile: {
            fileId: components["schemas"]["Id"];
            /** @description A person has said to keep it. */
            isKept: boolean;
            /** @description The work it belongs to; null for none. */
            itemId: components["schemas"]["Id"] | null;
            /**
             * Format: date-time
             * @description It may be forgotten from then on, unless so much of the library is missing that a person has to confirm it; null when a person has said to keep it.
             */
            keptUntil: string | null;
            kind: components["schemas"]["LibraryKind"];
            missingSince: components["schemas"]["Time"];
            /** @description Where it was. */
            path: string;
            sizeBytes: number;
        };
        MissingFilePage: {
            items: components["schemas"]["MissingFile"][];
            nextCursor: string | null;
        };
        Movie: components["schemas"]["MovieCard"] & {
            collection: string | null;
            externalIds: {
                [key: string]: string;
            };
            extras: components["schemas"]["MovieExtra"][];
            lockedFields: components["schemas"]["LockedFields"];
            match: components["schemas"]["MovieMatch"];
            originalTitle: string | null;
            overview: string | null;
            people: components["schemas"]["MovieCredit"][];
            ratings: components["schemas"]["MovieRating"][];
            runtimeMs: number | null;
            sortTitle: string;
            sources: components["schemas"]["FieldSources"];
            studio: string | null;
            subtitles: components["schemas"]["ExternalSubtitle"][];
            tagline: string | null;
            tags: string[];
            translated?: components["schemas"]["TranslatedFields"];
            updatedAt: components["schemas"]["Time"];
            versions: components["schemas"]["MovieVersion"][];
        };
        MovieCard: {
            addedAt: components["schemas"]["Time"];
            certification?: string | null;
            durationMs: number | null;
            genres: string[];
            hdrKinds: string[];
            id: components["schemas"]["Id"];
            images: components["schemas"]["ItemImages"];
            isAvailable: boolean;
            libraryId: components["schemas"]["Id"];
            /** @description Out of ten. */
            rating: number | null;
            /** Format: date */
            releaseDate?: string | null;
            resolutions: string[];
            /** @description Of all of its versions. */
            sizeBytes: number;
            title: string;
            userState: components["schemas"]["UserState"];
            year: number | null;
        };
        MovieCredit: {
            character: string;
            name: string;
            personId: components["schemas"]["Id"];
            /** @enum {string} */
            role: "actor" | "director" | "writer" | "producer" | "composer" | "other";
        };
        MovieExtra: {
            durationMs: number | null;
            fileId: components["schemas"]["Id"];
            isAvailable: boolean;
            name: string;
            sizeBytes: number;
            type: string;
        };
        MovieFilters: {
            certifications: components["schemas"]["FacetValue"][];
            decades: components["schemas"]["FacetValue"][];
            genres: components["schemas"]["FacetValue"][];
            hdr: components["schemas"]["FacetValue"][];
            languages: components["schemas"]["FacetValue"][];
            letters: components["schemas"]["LetterFacet"];
            resolutions: components["schemas"]["FacetValue"][];
            videoCodecs: components["schemas"]["FacetValue"][];
        };
        MovieIdFilter: components["schemas"]["Id"][];
        /** @description How it was recognised. */
        MovieMatch: {
            chosen?: components["schemas"]["MovieReading"];
            nfoPath?: string;
            /** @description Where */
            path?: string;
            problems?: {
                message: string;
                path: string;
            }[];
            runnerUp?: components["schemas"]["MovieReading"];
        };
        MovieMerge: {
            movieIds: components["schemas"]["Id"][];
        };
        MoviePage: {
            items: components["schemas"]["MovieCard"][];
            nextCursor: string | null;
            /** @description Only with `offset`. */
            total?: number;
        };
        MovieRating: {
            /** @description Out of ten. */
            score: number;
            source: string;
            votes: number | null;
        };
        MovieReading: {
            /** @enum {string} */
            from: "file" | "folder" | "nfo" | "hint";
            /** @description How much it convinces; 0 to 1. */
            score: number;
            title: string;
            year: number | null;
        };
        MovieSplit: {
            /** @description Videos of the film. */
            fileIds: components["schemas"]["Id"][];
        };
        MovieTextFilter: string[];
        MovieUpdate: {
            certification?: string | null;
            collection?: string | null;
            externalIds?: components["schemas"]["ExternalIdsUpdate"];
            genres?: string[];
            /** @description All fields that are to be locked besides those set by this request. */
            lockedFields?: ("title" | "sortTitle" | "originalTitle" | "year" | "releaseDate" | "runtimeMs" | "overview" | "tagline" | "certification" | "studio" | "collection" | "genres" | "tags" | "rating" | "ids" | "people")[];
            originalTitle?: string | null;
            overview?: string | null;
            /** Format: date */
            releaseDate?: string | null;
            runtimeMs?: number | null;
            sortTitle?: string;
            studio?: string | null;
            tagline?: string | null;
            tags?: string[];
            title?: string;
            year?: number | null;
        };
        MovieVersion: {
            durationMs: number | null;
            edition?: string;
            files: components["schemas"]["MediaFile"][];
            id: components["schemas"]["Id"];
            isAvailable: boolean;
            /** @description What tells it from the others. */
            label: string | null;
            resolution?: string;
            sizeBytes: number;
        };
        NewApiKey: {
            /**
             * Format: date-time
             * @description Null - never.
             */
            expiresAt?: string | null;
            name: string;
            /** @description Permissions the caller holds; what the owner loses later, the key loses too. */
            scopes: string[];
        };
        /**
         * @example {
         *       "kind": "node",
         *       "ttlMs": 3600000,
         *       "uses": 1
         *     }
         */
        NewClusterToken: {
            /** @description What it admits; a node unless stated. */
            kind?: components["schemas"]["ClusterMemberKind"];
            /** @description How long it is good; an hour unless stated, null until it is revoked. */
            ttlMs?: number | null;
            /** @description How many it admits; one unless stated, null for any number. */
            uses?: number | null;
        };
        NewUser: {
            displayName?: components["schemas"]["DisplayName"];
            libraryIds?: components["schemas"]["LibraryIds"];
            password: components["schemas"]["Password"];
            /** @default user */
            role: components["schemas"]["Role"];
            username: components["schemas"]["Username"];
        };
        /**
         * @example {
         *       "items": [
         *         {
         *           "id": "kitchen",
         *           "name": "kitchen",
         *           "addresses": [
         *             "192.168.1.10:8080"
         *           ]
         *         }
         *       ]
         *     }
         */
        NodeList: {
            items: {
                /** @description `host:port` by plain HTTP, the likeliest first. */
                addresses: string[];
                id: string;
                name: string;
            }[];
        };
        /** @description What a sentence with a code is about, by name, for who says it in another language: names, numbers (`…Ms`: milliseconds, `…Bytes`: bytes), lists of names. */
        NoticeValues: {
            [key: string]: string | number | string[];
        };
        Page: {
            /** @description Give it as `cursor` for the next page; null on the last. */
            nextCursor: string | null;
            /** @description Items in all; only with `offset`, or where it is cheap. */
            total?: number;
        };
        /** @description 8 to 1024 characters, counted after NFKC normalisation. */
        Password: string;
        PasswordChange: {
            currentPassword: components["schemas"]["Password"];
            newPassword: components["schemas"]["Password"];
        };
        PasswordReset: {
            password: components["schemas"]["Password"];
        };
        Person: {
            id: components["schemas"]["Id"];
            name: string;
            /** @description Of those the caller may see. */
            workCount: number;
        };
        PersonCredit: {
            /** @description The part played, for actors; the job, for `other`; else empty. */
            character: string;
            /** @enum {string} */
            role: "actor" | "director" | "writer" | "producer" | "composer" | "other";
        };
        PersonWork: {
            /** @description All that the person did for it, parts played first. */
            credits: components["schemas"]["PersonCredit"][];
            durationMs: number | null;
            id: components["schemas"]["Id"];
            images: components["schemas"]["ItemImages"];
            isAvailable: boolean;
            /** @enum {string} */
            kind: "movie" | "series";
            title: string;
            userState: components["schemas"]["UserState"];
            year: number | null;
        };
        PersonWorkPage: {
            items: components["schemas"]["PersonWork"][];
            nextCursor: string | null;
        };
        PlaybackAddress: {
            expiresAt: components["schemas"]["Time"];
            /** @description Path and query, relative to the server. */
            url: string;
        };
        PlaybackAddressRequest: {
            /**
             * @description How long the address is good for; six hours unless stated.
             * @default 21600000
             */
            lifetimeMs: number;
        };
        PlaybackFile: {
            contentType: string;
            id: components["schemas"]["Id"];
            isAvailable: boolean;
            /** Format: uuid */
            itemId: string | null;
            modifiedAt: components["schemas"]["Time"];
            name: string;
            probe?: components["schemas"]["PlaybackProbe"];
            /** @enum {string} */
            role: "video" | "audio" | "subtitle" | "extra";
            sizeBytes: number;
        };
        /** @description Absent until the file has been looked into. */
        PlaybackProbe: {
            bitrate?: number;
            chapters: {
                endMs: number;
                startMs: number;
                title?: string;
            }[];
            container: string;
            durationMs?: number;
            streams: components["schemas"]["PlaybackStream"][];
        };
        PlaybackStream: {
            bitDepth?: number;
            bitrate?: number;
            channelLayout?: string;
            channels?: number;
            codec: string;
            /** @description The profile and, after a point, what its base layer is compatible with. */
            dolbyVisionProfile?: string;
            fileName?: string;
            frameRate?: number;
            /** @enum {string} */
            hdr?: "HDR10" | "HDR10+" | "HLG" | "DolbyVision";
            height?: number;
            index: number;
            interlaced?: boolean;
            isDefault: boolean;
            isForced: boolean;
            isHearingImpaired?: boolean;
            language?: string;
            level?: number;
            mimeType?: string;
            pixelFormat?: string;
            profile?: string;
            /** @enum {string} */
            role?: "picture" | "font" | "other";
            sampleRate?: number;
            title?: string;
            /** @enum {string} */
            type: "video" | "audio" | "subtitle" | "attachment";
            variableFrameRate?: boolean;
            width?: number;
        };
        Problem: {
            detail?: string;
            errors?: {
                message: string;
                path: string;
            }[];
            /** @description The request's id. */
            instance?: string;
            status: number;
            title: string;
            /** @description `/problems/<code>`, stable. */
            type: string;
        };
        ProblemType: {
            code: string;
            /** @description What has happened. */
            meaning: string;
            /** @description What a person or a client can do. */
            remedy: string;
            status: number;
            title: string;
            /** @description `/problems/<code>`, as in the problem itself. */
            type: string;
        };
        ProgressReport: {
            /**
             * Format: date-time
             * @description When that was; now, unless given. A time to come counts as now.
             */
            at?: string;
            durationMs?: number;
            fileId?: components["schemas"]["Id"];
            positionMs: number;
        };
        RecordCandidate: {
            /** @description The provider's. */
            id: string;
            originalTitle?: string;
            overview?: string;
            /** @description At the provider. */
            posterUrl?: string;
            provider: string;
            /** @description How surely it is the work; 0 to 1. */
            score: number;
            title: string;
            year: number | null;
        };
        RecordChoice: {
            /** @description The provider's. */
            id: string;
            /** @enum {string} */
            provider: "tmdb" | "tvdb";
        };
        RecordMatch: {
            /**
             * @description What decided it: an id in a name or an NFO, or of Radarr or Sonarr; title and year; or a person.
             * @enum {string}
             */
            basis: "id" | "title" | "user";
            /** @description The provider's. */
            id: string;
            provider: string;
            score: number | null;
        };
        RecordMatches: {
            checkedAt: components["schemas"]["Time"] | null;
            items: components["schemas"]["RecordCandidate"][];
            match: components["schemas"]["RecordMatch"] | null;
            /** @description When the provider is asked again. */
            nextAt: components["schemas"]["Time"];
            /** @description Why the provider gave no answer last. */
            problem: string | null;
        };
        RefreshRequest: {
            refreshToken: string;
        };
        RevokedSessions: {
            revoked: number;
        };
        /** @enum {string} */
        Role: "admin" | "user";
        SearchEngine: {
            detail?: string;
            isUp: boolean;
            /** @enum {string} */
            name: "postgres" | "typesense";
            /** @description Changes it has yet to hear of. */
            pending: number;
            pendingSince?: components["schemas"]["Time"];
            /**
             * @description `rebuild`: it is not asked until it has been filled anew.
             * @enum {string}
             */
            state: "ready" | "rebuild";
        };
        /** @enum {string} */
        SearchFacetField: "library" | "genre" | "tag" | "decade" | "certification" | "studio" | "resolution" | "videoCodec" | "hdr" | "audioLanguage";
        SearchFacetValue: {
            count: number;
            value: string;
        };
        SearchFilter: string[];
        SearchItem: {
            episode?: components["schemas"]["EpisodePlace"];
            id: components["schemas"]["Id"];
            /** @description What it is: `movie` … */
            kind: string;
            /** @description Where the words were found; null if in nothing that is shown. */
            match: components["schemas"]["SearchMatch"] | null;
            poster: components["schemas"]["SearchPoster"] | null;
            /** @description Of episodes `The Wire · S01E02`. */
            subtitle: string | null;
            title: string;
            year: number | null;
        };
        SearchMatch: {
            /** @enum {string} */
            field: "title" | "otherTitle" | "person";
            /** @description Of a person, whose works `GET /api/v1/people/{personId}/works` lists. */
            personId?: components["schemas"]["Id"];
            /** @description The parts of the text to set off, in UTF-16 units. */
            ranges: {
                /** @description Not included. */
                end: number;
                start: number;
            }[];
            /** @description The title or name itself. */
            text: string;
        };
        SearchPoster: {
            blurhash: string;
            url: string;
        };
        SearchResults: {
            /**
             * @description Which one answered.
             * @enum {string}
             */
            engine: "postgres" | "typesense";
            /** @description Per field asked for, its most frequent values. */
            facets: {
                [key: string]: components["schemas"]["SearchFacetValue"][];
            };
            isTotalExact: boolean;
            items: components["schemas"]["SearchItem"][];
            /** @description Things found; at least */
            total: number;
        };
        Season: {
            episodeCount: number;
            id: components["schemas"]["Id"];
            /** @description Its own; none of its series. */
            images: components["schemas"]["ItemImages"];
            /** @description Something of it can be played. */
            isAvailable: boolean;
            lockedFields: components["schemas"]["LockedFields"];
            /** @description 0 for specials and what belongs to no season. */
            number: number;
            overview: string | null;
            sources: components["schemas"]["FieldSources"];
            /** @description Null: none but its number. */
            title: string | null;
            translated?: components["schemas"]["TranslatedFields"];
            /** @description How many of them the caller has watched. */
            watchedCount: number;
        };
        SeasonUpdate: {
            /** @description All fields that are to be locked besides those set by this request: those that nobody has set, as they are shown now. */
            lockedFields?: ("title" | "overview")[];
            overview?: string | null;
            title?: string | null;
        };
        Series: components["schemas"]["SeriesCard"] & {
            certification: string | null;
            /** @description In which order the numbers of its files count; null as its provider does. */
            episodeOrder: components["schemas"]["EpisodeOrder"] | null;
            externalIds: {
                [key: string]: string;
            };
            extras: components["schemas"]["MovieExtra"][];
            lockedFields: components["schemas"]["LockedFields"];
            match: components["schemas"]["MovieMatch"];
            originalTitle: string | null;
            overview: string | null;
            /** @description Those who make it as a whole, not whom single episodes have besides. */
            people: components["schemas"]["MovieCredit"][];
            /** Format: date */
            premiered: string | null;
            seasons: components["schemas"]["Season"][];
            sortTitle: string;
            sources: components["schemas"]["FieldSources"];
            status: string | null;
            studios: string[];
            translated?: components["schemas"]["TranslatedFields"];
            updatedAt: components["schemas"]["Time"];
            /** @description The episode to go on with: the one begun last, else the first one not watched after the one watched last, else the first one not watched, else the first. */
            upNext: components["schemas"]["EpisodeCard"] | null;
        };
        SeriesCard: {
            addedAt: components["schemas"]["Time"];
            /** @description Without specials. */
            episodeCount: number;
            genres: string[];
            id: components["schemas"]["Id"];
            images: components["schemas"]["ItemImages"];
            /** @description Something of it can be played. */
            isAvailable: boolean;
            /** @description The caller has said so of the series. */
            isFavourite: boolean;
            isOnWatchlist: boolean;
            libraryId: components["schemas"]["Id"];
            title: string;
            /** @description How many of those the caller has watched. */
            watchedCount: number;
            year: number | null;
        };
        SeriesFile: {
            episodes: components["schemas"]["HeldEpisode"][];
            id: components["schemas"]["Id"];
            /** @description It can be played. */
            isAvailable: boolean;
            /** @description The last scan did not find it. */
            isMissing: boolean;
            /** @description What tells its version from the others. */
            label: string | null;
            name: string;
            /** @description Of a version that has several. */
            part?: number;
            sizeBytes: number;
            /** @description The same for all parts of one version. */
            versionId: components["schemas"]["Id"];
        };
        SeriesFilePage: {
            items: components["schemas"]["SeriesFile"][];
            nextCursor: string | null;
            /** @description How many there are on all pages. */
            total: number;
        };
        SeriesFilters: {
            decades: components["schemas"]["FacetValue"][];
            genres: components["schemas"]["FacetValue"][];
            letters: components["schemas"]["LetterFacet"];
        };
        SeriesMerge: {
            seriesIds: components["schemas"]["Id"][];
        };
        SeriesPage: {
            items: components["schemas"]["SeriesCard"][];
            nextCursor: string | null;
            /** @description Only with `offset`. */
            total?: number;
        };
        SeriesSplit: {
            /** @description Videos of the series. */
            fileIds: components["schemas"]["Id"][];
        };
        SeriesUpdate: {
            certification?: string | null;
            /** @description What the numbers in the names of its files mean; null as its provider counts. What is known of the episodes of files follows; watched they stay. The list of those that are missing counts so, too; the calendar does as the provider. */
            episodeOrder?: components["schemas"]["EpisodeOrder"] | null;
            externalIds?: components["schemas"]["ExternalIdsUpdate"];
            genres?: string[];
            /** @description All fields that are to be locked besides those set by this request. */
            lockedFields?: ("title" | "sortTitle" | "originalTitle" | "year" | "premiered" | "overview" | "status" | "certification" | "genres" | "studios" | "episodeOrder" | "ids" | "people")[];
            originalTitle?: string | null;
            overview?: string | null;
            /** Format: date */
            premiered?: string | null;
            sortTitle?: string;
            status?: string | null;
            studios?: string[];
            title?: string;
            year?: number | null;
        };
        Session: {
            createdAt: components["schemas"]["Time"];
            /** @description True for the session this request came with. */
            current: boolean;
            deviceName: string | null;
            expiresAt: components["schemas"]["Time"];
            id: components["schemas"]["Id"];
            ip: string | null;
            /** @description The last refresh. */
            lastSeenAt: components["schemas"]["Time"];
            userAgent: string | null;
        };
        SessionPage: components["schemas"]["Page"] & {
            items: components["schemas"]["Session"][];
        };
        Setting: {
            /** @description What holds when nothing is set. */
            default: unknown;
            description: string;
            isDefault: boolean;
            key: string;
            /** @description The JSON Schema of the value. */
            schema: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            updatedAt: string | null;
            /** @description What holds now. */
            value: unknown;
        };
        SettingPage: components["schemas"]["Page"] & {
            items: components["schemas"]["Setting"][];
        };
        SettingValue: {
            /** @description A JSON value of the type the setting has. */
            value: unknown;
        };
        SetupRequest: {
            password: components["schemas"]["Password"];
            token: string;
            username: components["schemas"]["Username"];
        };
        SetupState: {
            /** @description True until the first administrator is made. */
            required: boolean;
            serverName: string;
        };
        /** Format: date-time */
        Time: string;
        Tokens: {
            /** @description A JWT; send it as `Authorization` Bearer. */
            accessToken: string;
            accessTokenExpiresAt: components["schemas"]["Time"];
            refreshToken: string;
            refreshTokenExpiresAt: components["schemas"]["Time"];
            sessionId: components["schemas"]["Id"];
            user: components["schemas"]["User"];
        };
        /** @description The fields that are shown in another language than the library's, each with the language: that of the viewer's account, or one that the request accepts. Absent: none. */
        TranslatedFields: {
            [key: string]: string;
        };
        User: {
            createdAt: components["schemas"]["Time"];
            disabled: boolean;
            displayName: string | null;
            id: components["schemas"]["Id"];
            language: components["schemas"]["ViewerLanguage"];
            libraryIds: components["schemas"]["LibraryIds"];
            role: components["schemas"]["Role"];
            updatedAt: components["schemas"]["Time"];
            username: string;
        };
        UserChange: {
            /** @description True ends every session at once and refuses API keys; false lets in again. */
            disabled?: boolean;
            displayName?: components["schemas"]["DisplayName"];
            libraryIds?: components["schemas"]["LibraryIds"];
            role?: components["schemas"]["Role"];
        };
        UserItem: {
            at: components["schemas"]["Time"];
            durationMs: number | null;
            episode?: components["schemas"]["EpisodePlace"];
            id: components["schemas"]["Id"];
            images: components["schemas"]["ItemImages"];
            isAvailable: boolean;
            kind: components["schemas"]["ItemKind"];
            title: string;
            userState: components["schemas"]["UserState"];
            year: number | null;
        };
        UserItemPage: {
            items: components["schemas"]["UserItem"][];
            nextCursor: string | null;
        };
        Username: string;
        UserPage: components["schemas"]["Page"] & {
            items: components["schemas"]["User"][];
        };
        /** @description What the caller has done with the work. */
        UserState: {
            durationMs?: number;
            fileId?: components["schemas"]["Id"];
            isFavourite: boolean;
            isOnWatchlist: boolean;
            isWatched: boolean;
            lastPlayedAt?: components["schemas"]["Time"];
            playCount: number;
            /** @description Where to go on; 0 for nowhere. */
            positionMs: number;
            watchedAt?: components["schemas"]["Time"];
        };
        /** @description In which titles and texts of works are shown, as far as they are kept in it (`metadata.languages`): `de`, `pt-BR`. Null: as each request accepts (`Accept-Language`). */
        ViewerLanguage: string | null;
        WatchlistRow: {
            addedAt: components["schemas"]["Time"];
            imdb?: string;
            kind: string;
            title: string;
            tmdb?: string;
            tvdb?: string;
            year: number | null;
        };
        WorkCertification: {
            certification: string;
            /** @description Two letters: `DE`. */
            country: string;
        };
        WorkRecord: {
            certifications: components["schemas"]["WorkCertification"][];
            /** @description The provider's. */
            id: string | null;
            otherTitles: string[];
            provider: string | null;
            trailers: components["schemas"]["WorkTrailer"][];
            translations: components["schemas"]["WorkTranslation"][];
        };
        WorkTrailer: {
            /** @description The site's. */
            key: string;
            language: string | null;
            name: string;
            /** @description A video site: `YouTube`. */
            site: string;
        };
        WorkTranslation: {
            /** @description As in BCP 47: `de`, `pt-BR`. */
            language: string;
            overview: string | null;
            tagline: string | null;
            title: string | null;
        };
    };
    responses: {
        /** @description What was done; with `dryRun`, what would be. */
        ClusterChange: {
            headers: {
                "X-Revenge-Index": components["headers"]["RevengeIndex"];
                "X-Revenge-Stale": components["headers"]["RevengeStale"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ClusterChange"];
            };
        };
        /** @description Done; nothing to say. */
        NoContent: {
            headers: {
                "X-Revenge-Index": components["headers"]["RevengeIndex"];
                "X-Revenge-Stale": components["headers"]["RevengeStale"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description What went wrong (RFC 9457). */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description One page. */
        UserItems: {
            headers: {
                "X-Revenge-Index": components["headers"]["RevengeIndex"];
                "X-Revenge-Stale": components["headers"]["RevengeStale"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["UserItemPage"];
            };
        };
        /** @description My state of it. */
        UserState: {
            headers: {
                "X-Revenge-Index": components["headers"]["RevengeIndex"];
                "X-Revenge-Stale": components["headers"]["RevengeStale"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["UserState"];
            };
        };
    };
    parameters: {
        ClusterMemberId: components["schemas"]["ClusterMemberId"];
        ClusterTokenId: components["schemas"]["ClusterTokenId"];
        /** @description `nextCursor` of the page before. */
        Cursor: string;
        /** @description Only tells what would be done. */
        DryRun: boolean;
        /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
        IdempotencyKey: string;
        /** @description The `ETag` it was read with; another version is refused with 412. */
        IfMatch: string;
        ImageItemId: components["schemas"]["Id"];
        ImageItemKind: "movie" | "series" | "season" | "episode";
        ItemId: components["schemas"]["Id"];
        ItemKind: components["schemas"]["ItemKind"];
        JobId: components["schemas"]["Id"];
        /** @description The kind of job, as in `library.scan`. */
        JobName: string;
        /** @description The first letter of the sort title, or `#` for what begins with none. */
        Letter: string;
        LibraryId: components["schemas"]["Id"];
        /** @description Items a page holds. */
        Limit: number;
        /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
        Offset: number;
        PersonId: components["schemas"]["Id"];
        PlaybackFileId: components["schemas"]["Id"];
        PlayedKind: "movie" | "episode";
        /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
        RevengeIndex: number;
        ScanId: components["schemas"]["Id"];
        /** @description Only these kinds; absent, all. */
        SearchKinds: string[];
        /** @description What is looked for. */
        SearchText: string;
        SessionId: components["schemas"]["Id"];
        UserId: components["schemas"]["Id"];
        WatchedKind: "movie" | "episode" | "season" | "series";
    };
    requestBodies: {
        ClusterChange: {
            content: {
                "application/json": {
                    /** @description Do it although it is refused otherwise; may cost the quorum. */
                    force?: boolean;
                };
            };
        };
    };
    headers: {
        /** @description The version of the answer, for `If-None-Match` and `If-Match`. */
        ETag: string;
        /** @description The cluster's index that this answer reflects, at least. Keep the highest, and send it with each request. Not there where a change is written and no leader could tell the other nodes yet. */
        RevengeIndex: number;
        /** @description There only when the answer may be older than usual, in milliseconds: this node has heard of no leader for so long, or a source does not answer and what is cached is past its time. */
        RevengeStale: number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getDocs: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page that loads nothing from outside. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getDocsFile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A script, a style sheet or an icon. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getOpenApiJson: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getOpenApiYaml: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listActivity: {
        parameters: {
            query?: {
                /** @description An action (`auth.login`), or all of a group (`auth`). */
                action?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Not before this time. */
                from?: components["schemas"]["Time"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
                resourceId?: string;
                resourceType?: string;
                success?: boolean;
                /** @description Before this time. */
                until?: components["schemas"]["Time"];
                userId?: components["schemas"]["Id"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActivityPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listFolders: {
        parameters: {
            query?: {
                /** @description An absolute path; without it, the folders one may start from. */
                path?: string;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The folders in it, by name. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FolderList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLogLines: {
        parameters: {
            query?: {
                /** @description The `id` of the newest line that is known, for only what came since. */
                after?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description The least severe that is shown. */
                level?: components["schemas"]["LogLevel"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description The part of the node that speaks. */
                module?: string;
                /** @description Whose; of the node that answers unless stated. */
                nodeId?: string;
                /** @description In the message or the fields, in upper or lower case. */
                text?: string;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMachine: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every finding, as `revenge doctor` tells them. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machine"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSearchStatus: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every engine, the one that is asked first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        engines: components["schemas"]["SearchEngine"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rebuildSearch: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Only this one; absent, all.
                     * @enum {string}
                     */
                    engine?: "postgres" | "typesense";
                };
            };
        };
        responses: {
            /** @description It will be done by these jobs; an engine that is waiting for it already has none. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        jobIds: components["schemas"]["Id"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listApiKeys: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, without their secrets. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApiKey"];
            };
        };
        responses: {
            /** @description The key, with its secret. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedApiKey"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                apiKeyId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description A new session and its tokens. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    logoutAll: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many were ended. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokedSessions"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description New tokens for the same session. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSetup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What a sign-in page must know. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SetupState"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    completeSetup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupRequest"];
            };
        };
        responses: {
            /** @description The administrator. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listBackups: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All backups. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BackupList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    makeBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job that makes it. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        jobId: components["schemas"]["Id"];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listCalendar: {
        parameters: {
            query?: {
                /** @description The first day; a week ago unless given. */
                from?: string;
                /** @description The last day, at most 366 days later; in four weeks unless given. */
                to?: string;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The days and their episodes. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Calendar"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    exportCalendar: {
        parameters: {
            query?: {
                daysAfter?: number;
                daysBefore?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A calendar. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "text/calendar": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getClusterStatus: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cluster, or this node alone. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterStatus"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getClusterAutopilot: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rules. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterAutopilot"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    putClusterAutopilot: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterAutopilot"];
            };
        };
        responses: {
            /** @description The rules as they are now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterAutopilot"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listClusterEvents: {
        parameters: {
            query?: {
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The latest since this node started, oldest first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterEventList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getClusterHealth: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How it is, well or not. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterHealth"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    initCluster: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cluster, of one node so far. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterStatus"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listClusterMembers: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterMemberList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getClusterMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterMember"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    demoteClusterMember: {
        parameters: {
            query?: {
                /** @description Only tells what would be done. */
                dryRun?: components["parameters"]["DryRun"];
            };
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["ClusterChange"];
        responses: {
            200: components["responses"]["ClusterChange"];
            default: components["responses"]["Problem"];
        };
    };
    drainClusterMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member as it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterMember"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    promoteClusterMember: {
        parameters: {
            query?: {
                /** @description Only tells what would be done. */
                dryRun?: components["parameters"]["DryRun"];
            };
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["ClusterChange"];
        responses: {
            200: components["responses"]["ClusterChange"];
            default: components["responses"]["Problem"];
        };
    };
    removeClusterMember: {
        parameters: {
            query?: {
                /** @description Only tells what would be done. */
                dryRun?: components["parameters"]["DryRun"];
            };
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["ClusterChange"];
        responses: {
            200: components["responses"]["ClusterChange"];
            default: components["responses"]["Problem"];
        };
    };
    undrainClusterMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                memberId: components["parameters"]["ClusterMemberId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member as it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterMember"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    snapshotCluster: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How far the snapshot reaches. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The last entry of the log in it. */
                        index: number;
                        /** @description That entry's term. */
                        term: number;
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listClusterTokens: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, the oldest first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterTokenList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createClusterToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewClusterToken"];
            };
        };
        responses: {
            /** @description The token, and where to join with it. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedClusterToken"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeClusterToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                tokenId: components["parameters"]["ClusterTokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    rotateClusterToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                tokenId: components["parameters"]["ClusterTokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new token, and where to join with it. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedClusterToken"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    transferClusterLeadership: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    to?: components["schemas"]["ClusterMemberId"];
                };
            };
        };
        responses: {
            /** @description Who leads now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        leader: components["schemas"]["ClusterMemberId"];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getEpisode: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                episodeId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The episode. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Episode"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateEpisode: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The `ETag` it was read with; another version is refused with 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                episodeId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EpisodeUpdate"];
            };
        };
        responses: {
            /** @description The episode as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Episode"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description Only these names, with `*` for all of a group (`scan.*,item.added`). */
                events?: string[];
                /** @description Resume after this event id, as `Last-Event-ID`. */
                since?: string;
            };
            header?: {
                /** @description Resume after this event id. */
                "Last-Event-ID"?: string;
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getImage: {
        parameters: {
            query?: {
                /** @description Pixels the picture is shown in; the next larger step is sent. */
                width?: number;
            };
            header?: {
                Accept?: string;
                "If-None-Match"?: string;
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                imageId: components["schemas"]["Id"];
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "image/avif": string;
                    "image/jpeg": string;
                    "image/webp": string;
                };
            };
            /** @description It is what the client has. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listItemHistory: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["schemas"]["Id"];
                kind: "movie" | "series" | "season" | "episode";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The changes. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemHistory"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listItemImages: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By type, the one shown first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtworkImageList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    uploadItemImage: {
        parameters: {
            query: {
                type: components["schemas"]["ArtworkType"];
            };
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "image/avif": string;
                "image/gif": string;
                "image/jpeg": string;
                "image/png": string;
                "image/webp": string;
            };
        };
        responses: {
            /** @description The picture, which is the person's choice now. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtworkImage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteItemImage: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                imageId: components["schemas"]["Id"];
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    chooseItemImage: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                imageId: components["schemas"]["Id"];
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    unchooseItemImage: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                imageId: components["schemas"]["Id"];
                itemId: components["parameters"]["ImageItemId"];
                kind: components["parameters"]["ImageItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description The kind of job, as in `library.scan`. */
                name?: components["parameters"]["JobName"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
                queue?: components["schemas"]["JobQueueName"];
                state?: components["schemas"]["JobState"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of jobs. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                jobId: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                jobId: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                jobId: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job as it is now; `cancelRequested` while it still runs. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                jobId: components["parameters"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job, waiting. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listDeadJobs: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description The kind of job, as in `library.scan`. */
                name?: components["parameters"]["JobName"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
                queue?: components["schemas"]["JobQueueName"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of dead jobs. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    retryDeadJobs: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    name?: string;
                    queue?: components["schemas"]["JobQueueName"];
                };
            };
        };
        responses: {
            /** @description How many wait again. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        retried: number;
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listJobQueues: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every queue, those of users first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["JobQueue"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateJobQueue: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                queue: components["schemas"]["JobQueueName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Jobs each node runs at the same time while nobody watches; it shrinks by the queue's usual share while somebody does. Null returns to the default. */
                    limit?: number | null;
                    paused?: boolean;
                };
            };
        };
        responses: {
            /** @description The queue as it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobQueue"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listJobSchedules: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every recurring job this node knows, by name. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["JobSchedule"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    runJobSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job that was added. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLibraries: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name. A server has few, so there is one page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createLibrary: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LibraryCreate"];
            };
        };
        responses: {
            /** @description Added. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Library"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLibrary: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The library. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Library"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteLibrary: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    updateLibrary: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LibraryUpdate"];
            };
        };
        responses: {
            /** @description As it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Library"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    announceArrival: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LibraryArrival"];
            };
        };
        responses: {
            /** @description It will be looked at. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryArrivals"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMissingFiles: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MissingFilePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    keepMissingItem: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["schemas"]["Id"];
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    forgetMissingItem: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["schemas"]["Id"];
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    releaseMissingItem: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["schemas"]["Id"];
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    listLibraryProblems: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryProblemPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    refreshLibrary: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LibraryRefresh"];
            };
        };
        responses: {
            /** @description The job that does it. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryRefreshJob"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLibraryScans: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryScanPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    startLibraryScan: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LibraryScanStart"];
            };
        };
        responses: {
            /** @description It waits or runs. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryScan"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getVanished: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryVanished"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    confirmVanished: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryVanished"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    keepVanished: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                libraryId: components["parameters"]["LibraryId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryVanished"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMovies: {
        parameters: {
            query?: {
                addedSince?: string;
                available?: boolean;
                /** @description The set a film belongs to, by its whole name. */
                collection?: string[];
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                favourite?: boolean;
                genre?: components["schemas"]["MovieTextFilter"];
                hdr?: components["schemas"]["MovieTextFilter"];
                /** @description Of the sound, as two letters (ISO 639-1) where there are two. */
                language?: components["schemas"]["MovieTextFilter"];
                /** @description The first letter of the sort title, or `#` for what begins with none. */
                letter?: components["parameters"]["Letter"];
                library?: components["schemas"]["MovieIdFilter"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
                /** @description `asc` for title, `desc` for the rest, unless given; random has none. */
                order?: "asc" | "desc";
                resolution?: components["schemas"]["MovieTextFilter"];
                sort?: "title" | "added" | "year" | "released" | "duration" | "size" | "rating" | "random";
                /** @description What the title begins with, without regard to case, accents and articles. */
                titlePrefix?: string;
                videoCodec?: components["schemas"]["MovieTextFilter"];
                watched?: boolean;
                watchlist?: boolean;
                year?: number;
                yearFrom?: number;
                yearTo?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MoviePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMovie: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The film. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Movie"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateMovie: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The `ETag` it was read with; another version is refused with 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MovieUpdate"];
            };
        };
        responses: {
            /** @description The film as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Movie"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    matchMovie: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecordChoice"];
            };
        };
        responses: {
            /** @description The record is taken over as soon as a worker is free. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listMovieMatches: {
        parameters: {
            query?: {
                /** @description A title, an id of IMDb (`tt0113277`), or a provider's own (`tmdb:949`). */
                query?: string;
                year?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The record, and the others, the likeliest first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordMatches"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    mergeMovies: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MovieMerge"];
            };
        };
        responses: {
            /** @description The film as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Movie"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMovieRecord: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Empty where nobody's record is known. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkRecord"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    refreshMovie: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is asked as soon as a worker is free. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    splitMovie: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                movieId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MovieSplit"];
            };
        };
        responses: {
            /** @description The new film. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Movie"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMovieFilters: {
        parameters: {
            query?: {
                library?: components["schemas"]["Id"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Values in use, most frequent first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MovieFilters"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMovieGenres: {
        parameters: {
            query?: {
                library?: components["schemas"]["Id"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["FacetValue"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listNodes: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All that serve, the one that answers first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPerson: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                personId: components["parameters"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The person. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Person"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listPersonWorks: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                personId: components["parameters"]["PersonId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonWorkPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokePlaybackAddresses: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    getPlaybackFile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                fileId: components["parameters"]["PlaybackFileId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file and its streams. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaybackFile"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createPlaybackAddress: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                fileId: components["parameters"]["PlaybackFileId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PlaybackAddressRequest"];
            };
        };
        responses: {
            /** @description The address, relative to the server. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaybackAddress"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getPlaybackContent: {
        parameters: {
            query?: {
                /** @description Ask the browser to save instead of show. */
                download?: boolean;
                /** @description Of a signed address. */
                token?: string;
            };
            header?: {
                "If-Match"?: string;
                "If-Modified-Since"?: string;
                "If-None-Match"?: string;
                "If-Range"?: string;
                "If-Unmodified-Since"?: string;
                Range?: string;
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                fileId: components["parameters"]["PlaybackFileId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of it. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The range asked for. */
            206: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description It is what the client has. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getScan: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                scanId: components["parameters"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scan. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryScan"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelScan: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                scanId: components["parameters"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The scan as it is now. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryScan"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    search: {
        parameters: {
            query: {
                audioLanguage?: components["schemas"]["SearchFilter"];
                certification?: components["schemas"]["SearchFilter"];
                decade?: components["schemas"]["SearchFilter"];
                /** @description Fields whose values are to be counted among what was found. */
                facets?: components["schemas"]["SearchFacetField"][];
                genre?: components["schemas"]["SearchFilter"];
                hdr?: components["schemas"]["SearchFilter"];
                /** @description Only these kinds; absent, all. */
                kinds?: components["parameters"]["SearchKinds"];
                library?: components["schemas"]["SearchFilter"];
                limit?: number;
                /** @description Results to pass over; nobody reads further than a thousand. */
                offset?: number;
                /** @description What is looked for. */
                q: components["parameters"]["SearchText"];
                resolution?: components["schemas"]["SearchFilter"];
                studio?: components["schemas"]["SearchFilter"];
                tag?: components["schemas"]["SearchFilter"];
                videoCodec?: components["schemas"]["SearchFilter"];
                yearFrom?: number;
                yearTo?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found, the best first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchResults"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    suggest: {
        parameters: {
            query: {
                /** @description Only these kinds; absent, all. */
                kinds?: components["parameters"]["SearchKinds"];
                limit?: number;
                /** @description What is looked for. */
                q: components["parameters"]["SearchText"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The best few. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["SearchItem"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSeason: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seasonId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The season. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Season"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSeason: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The `ETag` it was read with; another version is refused with 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seasonId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SeasonUpdate"];
            };
        };
        responses: {
            /** @description The season as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Season"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSeries: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                favourite?: boolean;
                genre?: components["schemas"]["MovieTextFilter"];
                /** @description The first letter of the sort title, or `#` for what begins with none. */
                letter?: components["parameters"]["Letter"];
                library?: components["schemas"]["Id"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
                /** @description `asc` for title, `desc` for the rest, unless given. */
                order?: "asc" | "desc";
                /** @description By `year` those without one come last in either order. By `episode` it is told by the episode that came last; a series without one by when it came itself. */
                sort?: "title" | "added" | "episode" | "year";
                /** @description What the title begins with, without regard to case, accents and articles. */
                titlePrefix?: string;
                /** @description Whether the caller has watched all of its episodes but specials. */
                watched?: boolean;
                watchlist?: boolean;
                yearFrom?: number;
                yearTo?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSeries: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The series. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSeries: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The `ETag` it was read with; another version is refused with 412. */
                "If-Match"?: components["parameters"]["IfMatch"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SeriesUpdate"];
            };
        };
        responses: {
            /** @description The series as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listEpisodes: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description The number of one season; 0 for what belongs to none. */
                season?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EpisodePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSeriesFiles: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description The number of one season; 0 for what belongs to none. */
                season?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesFilePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    matchSeries: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecordChoice"];
            };
        };
        responses: {
            /** @description The record is taken over as soon as a worker is free. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listSeriesMatches: {
        parameters: {
            query?: {
                /** @description A title, an id of IMDb (`tt0113277`), or a provider's own (`tmdb:949`). */
                query?: string;
                year?: number;
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The record, and the others, the likeliest first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordMatches"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    mergeSeries: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SeriesMerge"];
            };
        };
        responses: {
            /** @description The series as it is now. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMissingEpisodes: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In order. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MissingEpisodes"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSeriesRecord: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Empty where nobody's record is known. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkRecord"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    refreshSeries: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is asked as soon as a worker is free. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    splitSeries: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                seriesId: components["schemas"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SeriesSplit"];
            };
        };
        responses: {
            /** @description The new series. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSeriesFilters: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Values in use, most frequent first. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesFilters"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listNextUp: {
        parameters: {
            query?: {
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The first of them. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EpisodeList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSessions: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All that are alive. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                sessionId: components["parameters"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    listSettings: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every known setting, by key. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSetting: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                settingKey: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The setting. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setting"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    putSetting: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                settingKey: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SettingValue"];
            };
        };
        responses: {
            /** @description The setting, changed. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setting"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    resetSetting: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                settingKey: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The setting, at its default. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setting"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
                /** @description Instead of `cursor`, items to pass over. Slower the larger it is. */
                offset?: components["parameters"]["Offset"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description The new user. */
            201: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description The user, changed. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordReset"];
            };
        };
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    listUserSessions: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All that are alive. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeUserSessions: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many were ended. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokedSessions"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeUserSession: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                sessionId: components["parameters"]["SessionId"];
                userId: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["NoContent"];
            default: components["responses"]["Problem"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateMe: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repeated request harmless: under one key a caller's request is carried out once, and its answer is kept for a day. The same key with another request is refused. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MeChange"];
            };
        };
        responses: {
            /** @description The caller, changed. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listContinueWatching: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserItems"];
            default: components["responses"]["Problem"];
        };
    };
    listFavourites: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserItems"];
            default: components["responses"]["Problem"];
        };
    };
    addFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["ItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    removeFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["ItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    getProgress: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["PlayedKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    putProgress: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["PlayedKind"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProgressReport"];
            };
        };
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    markWatched: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["WatchedKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    unmarkWatched: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["WatchedKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    listWatchlist: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Items a page holds. */
                limit?: components["parameters"]["Limit"];
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserItems"];
            default: components["responses"]["Problem"];
        };
    };
    addToWatchlist: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["ItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    removeFromWatchlist: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                itemId: components["parameters"]["ItemId"];
                kind: components["parameters"]["ItemKind"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["UserState"];
            default: components["responses"]["Problem"];
        };
    };
    exportWatchlist: {
        parameters: {
            query?: {
                format?: "csv" | "json";
            };
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of it, at most 10,000 works. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WatchlistRow"][];
                    "text/csv": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    receiveRadarrWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ArrWebhook"];
            };
        };
        responses: {
            /** @description What will be looked at. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryArrivals"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    receiveSonarrWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ArrWebhook"];
            };
        };
        responses: {
            /** @description What will be looked at. */
            202: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LibraryArrivals"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getClusterReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Not now; changes are refused until there is. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getReadiness: {
        parameters: {
            query?: {
                /** @description The status of a node that is told to stop or is drained, for balancers that tell it from one that is gone: they send it nothing new, and let what runs there end. */
                leaving?: 404 | 503;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It can. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description It leaves, and was asked to say so in this way. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Not now; the checks say why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getStartup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Not yet. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSwarmHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Not yet. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus exposition format 0.0.4. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listProblems: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All problem types. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ProblemType"][];
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getProblem: {
        parameters: {
            query?: never;
            header?: {
                /** @description The highest index the client was told: the answer reflects at least that, or is 503 `/problems/behind`. So a client never sees something older than what it has seen, on any node. */
                "X-Revenge-Index"?: components["parameters"]["RevengeIndex"];
            };
            path: {
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The problem type. */
            200: {
                headers: {
                    "X-Revenge-Index": components["headers"]["RevengeIndex"];
                    "X-Revenge-Stale": components["headers"]["RevengeStale"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProblemType"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
